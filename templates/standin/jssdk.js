// The stand-in's half of WeCom's JS-SDK: the two functions that a page needs to open an approval.
window.ww = (function () {
  const home = new URL(document.currentScript.src).origin;
  let options = null;
  return {
    SDK_VERSION: "stand-in",
    register(given) { options = given; },
    async thirdPartyOpenPage(open) {
      if (!options) throw { errMsg: "thirdPartyOpenPage:fail not registered" };
      const url = location.href.split("#")[0];
      const config = await options.getConfigSignature(url);
      const agentConfig = await options.getAgentConfigSignature(url);
      const register = { corpId: options.corpId, agentId: options.agentId, jsApiList: options.jsApiList };
      const form = document.createElement("form");
      form.method = "post";
      form.action = home + "/engine/open";
      for (const [name, value] of Object.entries({ open, signed: { register, url, config, agentConfig } })) {
        const input = document.createElement("input");
        input.type = "hidden";
        input.name = name;
        input.value = JSON.stringify(value);
        form.append(input);
      }
      document.body.append(form);
      form.submit();
      return new Promise(() => {});
    },
  };
})();
