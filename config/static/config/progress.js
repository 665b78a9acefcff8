// The progress bar of a synchronisation run: asks once a second until the run is closed, then loads the page with its
// final facts. Without this script the page shows the state of its loading.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("progress");
    if (!box || box.dataset.open !== "true") {
        return;
    }
    const EVERY = 1000; // milliseconds
    const part = (name) => box.querySelector(`[data-part="${name}"]`);
    const bar = box.querySelector(".qb-bar");

    function show(run) {
        box.className = box.className.replace(/qb-(info|success|warning|danger)/, `qb-${run.tone}`);
        for (const name of ["status", "extent", "duration", "message"]) {
            part(name).textContent = run[name];
        }
        const known = run.percent !== null;
        bar.classList.toggle("qb-bar-unknown", !known && run.open);
        bar.firstElementChild.style.width = `${run.percent || 0}%`;
        part("percent").textContent = known ? `${run.percent} %` : "";
        if (known) {
            bar.setAttribute("aria-valuenow", run.percent);
        }
        run.counts.forEach((count, number) => {
            box.querySelector(`[data-count="${number}"]`).textContent = count.value;
        });
    }

    async function look() {
        try {
            const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
            if (answer.redirected || answer.status === 403) {
                window.location.reload(); // logged out meanwhile
                return;
            }
            if (!answer.ok) {
                throw new Error(answer.statusText);
            }
            const run = await answer.json();
            show(run);
            if (!run.open) {
                window.setTimeout(() => window.location.reload(), EVERY);
                return;
            }
        } catch {
            part("message").textContent = box.dataset.lost;
        }
        window.setTimeout(look, EVERY);
    }

    window.setTimeout(look, EVERY);
});
