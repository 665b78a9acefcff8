// Opens WeCom's own form by its JS-SDK. Everything that differs from page to page stands in #call.
(function () {
  "use strict";
  const call = JSON.parse(document.getElementById("call").textContent);
  const button = document.getElementById("open");
  const problem = document.getElementById("problem");
  const words = document.getElementById("words").content;

  function say(name, why) {
    problem.querySelector("strong").textContent = words.querySelector(`[data-for="${name}"]`).textContent;
    problem.querySelector("span").textContent = why || "";
    problem.hidden = false;
  }

  function signedBy(kind) {
    return async function (url) {
      const query = new URLSearchParams({ kind, url: url || location.href.split("#")[0] });
      const answer = await fetch(`${call.signatures}?${query}`, { credentials: "same-origin" });
      const told = await answer.json().catch(() => ({}));
      if (!answer.ok) {
        say("unsigned", told.detail);
        throw new Error(told.detail || String(answer.status));
      }
      return told;
    };
  }

  async function open() {
    problem.hidden = true;
    button.disabled = true;
    try {
      await window.ww.thirdPartyOpenPage(call.open);
      location.assign(call.after); // closed is not sent off: WeCom's event will tell
    } catch (error) {
      const why = (error && (error.errMsg || error.message)) || "";
      if (!/cancel/.test(why) && problem.hidden) say("failed", why);
    } finally {
      button.disabled = false;
    }
  }

  if (!window.ww) {
    say("outside", words.querySelector('[data-for="outside-why"]').textContent);
    return;
  }
  window.ww.register({
    ...call.register,
    getConfigSignature: signedBy("config"),
    getAgentConfigSignature: signedBy("agentConfig"),
    onAgentConfigFail: (result) => say("failed", result && result.errMsg),
  });
  button.addEventListener("click", open);
  button.disabled = false;
})();
