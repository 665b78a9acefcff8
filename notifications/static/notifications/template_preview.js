"use strict";
// Keeps the preview of a message template current while somebody types, and puts variables in at the cursor.
window.addEventListener("DOMContentLoaded", () => {
  const PAUSE = 250; // milliseconds without a key before the server is asked
  const panel = document.getElementById("template-preview");
  const body = document.getElementById("id_body");
  if (!panel || !body || body.tagName !== "TEXTAREA") {
    return;
  }
  const fields = [document.getElementById("id_subject"), body].filter(Boolean);
  const part = (name) => panel.querySelector(`[data-part="${name}"]`);
  let timer = 0;
  let asked = 0;
  let last = body;

  const show = (answer) => {
    if (part("subject")) {
      part("subject").textContent = answer.subject;
    }
    part("body").textContent = answer.body;
    part("size").textContent = answer.size;
    part("problems").hidden = answer.problems.length === 0;
    part("problems").replaceChildren(
      ...answer.problems.map((sentence) => {
        const line = document.createElement("li");
        line.className = "qb-reason qb-danger";
        const text = line.appendChild(document.createElement("p"));
        text.className = "qb-reason-sentence";
        text.textContent = sentence;
        return line;
      }),
    );
    panel.querySelector('[data-when="real"]').hidden = !answer.real;
    panel.querySelector('[data-when="samples"]').hidden = answer.real;
  };

  const ask = async () => {
    const number = ++asked;
    const typed = new URLSearchParams(fields.map((field) => [field.name, field.value]));
    const token = body.form.querySelector('[name="csrfmiddlewaretoken"]').value;
    let answer = null;
    try {
      const response = await fetch(panel.dataset.url, {
        method: "POST",
        headers: { "X-CSRFToken": token },
        body: typed,
      });
      answer = response.ok ? await response.json() : null;
    } catch {
      answer = null; // shown below; the next key asks again
    }
    if (number !== asked) {
      return; // somebody has typed on: a newer answer is on its way
    }
    part("trouble").hidden = answer !== null;
    if (answer) {
      show(answer);
    }
  };

  const askSoon = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, PAUSE);
  };

  for (const field of fields) {
    field.addEventListener("input", askSoon);
    field.addEventListener("focus", () => {
      last = field;
    });
  }
  for (const button of document.querySelectorAll("[data-insert]")) {
    button.addEventListener("click", () => {
      last.setRangeText(button.dataset.insert, last.selectionStart, last.selectionEnd, "end");
      last.focus();
      askSoon();
    });
  }
});
