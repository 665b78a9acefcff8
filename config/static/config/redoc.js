// ReDoc shows its vendor's logo from the vendor's server. This page asks no outside host for anything,
// so images from elsewhere never get their address, whichever way it is set.
(function () {
  "use strict";
  const image = HTMLImageElement.prototype;
  const isOurs = (address) => new URL(address, location.href).origin === location.origin;
  const source = Object.getOwnPropertyDescriptor(image, "src");
  Object.defineProperty(image, "src", {
    ...source,
    set(address) {
      if (isOurs(address)) source.set.call(this, address);
    },
  });
  image.setAttribute = function (name, value) {
    if (name !== "src" || isOurs(value)) Element.prototype.setAttribute.call(this, name, value);
  };
  const container = document.getElementById("redoc");
  Redoc.init(container.dataset.schema, { nativeScrollbars: true }, container);
})();
