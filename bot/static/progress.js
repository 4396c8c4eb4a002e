// Asks for the changing part of the page until nothing changes any more. Without it the page reloads itself.
"use strict";
const frame = document.querySelector("[data-progress]");
const live = document.getElementById("progress-live");
const SPOKEN_EACH = 5000;
let spokenAt = 0;
let spokenState = "";

function part() {
  return document.getElementById("progress");
}

function speak() {
  // A screen reader that is told every second never finishes a sentence.
  const state = part().dataset.state;
  if (state === spokenState && Date.now() - spokenAt < SPOKEN_EACH) return;
  const words = document.getElementById("progress-sentence").textContent;
  if (live.textContent !== words) live.textContent = words;
  spokenAt = Date.now();
  spokenState = state;
}

async function look() {
  let wait = 3000;
  try {
    const answer = await fetch(frame.dataset.progress, { headers: { Accept: "text/html" } });
    if (answer.redirected) {
      location.reload();
      return;
    }
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("progress");
      const held = part().contains(document.activeElement) && fresh.dataset.state === part().dataset.state;
      const clock = part().querySelector("[data-clock]");
      const newer = fresh.querySelector("[data-clock]");
      if (!held) part().replaceWith(fresh);
      else if (clock && newer) clock.replaceWith(newer);
      speak();
      wait = Number(fresh.dataset.next);
    }
  } catch {
    // The line is down for a moment; the sending goes on, so ask again.
  }
  if (wait) setTimeout(look, wait);
}

setTimeout(look, Number(part().dataset.next));
