// Keys and the connection's state; everything else is the server's.
"use strict";

// A key shown on a button presses it, unless somebody is typing.
document.addEventListener("keydown", (e) => {
  if (e.repeat) { // a key held down must not confirm the next pupil
    if (e.key === "Enter" || e.key === " ") e.preventDefault();
    return;
  }
  if (e.ctrlKey || e.altKey || e.metaKey) return;
  const typing = e.target.matches("input") && e.key.length === 1;
  if (typing) return;
  const button = document.querySelector(`button[data-key="${CSS.escape(e.key)}"]`);
  if (!button) return;
  e.preventDefault();
  button.click();
});

// A page without its terminal must not look as if it had one.
const cut = (lost) => {
  if (document.querySelector("[data-leaving]")) return; // it goes away by itself, and comes back
  document.body.classList.toggle("lost", lost);
  document.getElementById("cut").hidden = !lost;
};
document.addEventListener("htmx:sseError", () => cut(true));
document.addEventListener("htmx:sseOpen", () => cut(false));

// A notice is about the view it was given for.
document.addEventListener("htmx:sseMessage", (e) => {
  const notice = document.getElementById("notice");
  if (notice && e.target.id === "desk") notice.textContent = "";
  if (e.target.id === "desk" && e.target.querySelector("#outside") === null) {
    const reference = document.getElementById("reference");
    if (reference && document.activeElement !== reference) reference.value = "";
  }
});

// A terminal that is being decommissioned comes back with its certificate, or goes on serving if nothing came of it.
let waiting = false;
const awaitEnd = async () => {
  const leaving = document.querySelector("[data-leaving]");
  if (!leaving || waiting) return;
  waiting = true;
  const page = leaving.dataset.leaving;
  for (;;) {
    await new Promise((go) => setTimeout(go, 300));
    try {
      const answer = await fetch(page + "/stage", { cache: "no-store" });
      if (answer.ok && await answer.text() !== "leaving") break;
    } catch { /* between the two */ }
  }
  location.replace(page);
};
document.addEventListener("htmx:afterSwap", awaitEnd);
awaitEnd();
