// ReDoc shows its vendor's logo from the vendor's server. This page asks no outside host for anything,
// so images from elsewhere never get their address.
(function () {
  "use strict";
  const setAttribute = HTMLImageElement.prototype.setAttribute;
  HTMLImageElement.prototype.setAttribute = function (name, value) {
    if (name === "src" && new URL(value, location.href).origin !== location.origin) {
      this.hidden = true;
      return;
    }
    setAttribute.call(this, name, value);
  };
  const container = document.getElementById("redoc");
  Redoc.init(container.dataset.schema, { nativeScrollbars: true }, container);
})();
