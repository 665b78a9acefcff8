"use strict";
// A multiple select posts its options in the order of the page, but approvers act in the order they were chosen:
// whoever is chosen moves to the end.
window.addEventListener("load", () => {
  const $ = django.jQuery;
  $("select.qb-userids").on("select2:select", (event) => {
    const option = event.params.data.element;
    if (option) {
      $(event.target).append(option).trigger("change");
    }
  });
});
