"use strict";
// Choosing people by name or typing a userid (approvals.admin.forms). Two things that Select2 does otherwise:
// - what was typed is offered after the members that match it, so that Enter takes the member;
// - whoever is chosen moves to the end, because options are posted in the order of the page, and the order of
//   approvers counts.
window.addEventListener("load", () => {
  const $ = django.jQuery;
  $("select.qb-userids").each((_index, element) => {
    const select = $(element);
    if (select.data("select2")) {
      select.select2("destroy");
    }
    select.select2({ tags: true, insertTag: (found, typed) => found.push(typed) });
    if (element.multiple) {
      select.on("select2:select", (event) => {
        const chosen = event.params.data.element;
        if (chosen) {
          select.append(chosen).trigger("change");
        }
      });
    }
  });
});
