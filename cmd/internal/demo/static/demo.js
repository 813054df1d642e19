"use strict";
// The demo's own panel: pressing fingers, withdrawing consents, showing what happens.
const notice = document.getElementById("notice");
const till = () => document.querySelector("input[name=till]:checked").value;

async function tell(action, who) {
  const form = new URLSearchParams({ till: till(), who: who ?? "" });
  try {
    const answer = await fetch("demo/" + action, { method: "POST", body: form });
    notice.textContent = await answer.text();
  } catch (error) {
    notice.textContent = "The demo has ended.";
  }
}

document.querySelectorAll("button[data-do]").forEach((b) =>
  b.addEventListener("click", () => tell(b.dataset.do, b.dataset.who)));

document.querySelectorAll("input[name=till]").forEach((r) => r.addEventListener("change", () => {
  const second = till() === "1";
  document.getElementById("which").textContent = second ? "B" : "A";
  document.getElementById("till").src = second ? "till2/" : "till/";
  document.getElementById("pupil").src = second ? "till2/pupil" : "till/pupil";
}));

const log = document.getElementById("log");
const events = new EventSource("demo/events");
events.addEventListener("crowd", (e) => { document.getElementById("crowd").textContent = e.data; });
events.addEventListener("line", (e) => {
  const li = document.createElement("li");
  li.textContent = e.data;
  log.prepend(li);
  while (log.children.length > 60) log.lastChild.remove();
});
