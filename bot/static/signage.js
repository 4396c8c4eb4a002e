// A display: shows one screen after the other, asks for news every three seconds, and says since when it hears nothing.
// Every length of time is measured by a clock that nobody can set; the display's own may be wrong.
(() => {
  "use strict";
  const ASK_EVERY = 3000, ANSWER_WITHIN = 4000, SILENT_AFTER = 10000, STALE_AFTER = 3600000;
  const body = document.body, stage = document.getElementById("stage");
  const offline = document.getElementById("offline"), stale = document.getElementById("stale");
  let heard = performance.now(), taken = heard, turned = heard, current = 0;
  const deck = () => document.getElementById("deck");

  const showing = () => {
    const gone = (performance.now() - taken) / 1000;
    const all = [...deck().querySelectorAll(".slide")];
    const left = all.filter((slide) => !slide.dataset.ends || Number(slide.dataset.ends) > gone);
    return left.length ? left : all.slice(0, 1);
  };

  const show = () => {
    const slides = showing();
    current %= slides.length;
    for (const slide of deck().querySelectorAll(".slide")) slide.hidden = slide !== slides[current];
  };

  const turn = () => {
    const now = performance.now();
    if (now - turned >= Number(deck().dataset.stands) * 1000) {
      turned = now;
      current += 1;
      show();
    }
    const silent = now - heard;
    offline.hidden = silent < SILENT_AFTER;
    offline.querySelector("b").textContent = deck().dataset.asked;
    stale.hidden = silent < STALE_AFTER;
    stage.hidden = !stale.hidden;
  };

  const chime = () => {
    try {
      const audio = new AudioContext();
      [880, 660].forEach((pitch, number) => {
        const tone = audio.createOscillator(), loud = audio.createGain(), begin = audio.currentTime + number * 0.7;
        tone.frequency.value = pitch;
        loud.gain.setValueAtTime(0.4, begin);
        loud.gain.exponentialRampToValueAtTime(0.001, begin + 1.2);
        tone.connect(loud).connect(audio.destination);
        tone.start(begin);
        tone.stop(begin + 1.3);
      });
    } catch { /* A display without sound shows what it has to say. */ }
  };

  const take = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("deck");
    if (!fresh) return;
    heard = taken = performance.now();
    if (fresh.dataset.version !== body.dataset.version) { location.reload(); return; }
    const changed = fresh.dataset.deck !== deck().dataset.deck;
    if (!changed) {
      // The same words, but how long they are good for and when we heard of them is new.
      deck().dataset.asked = fresh.dataset.asked;
      const ends = [...fresh.querySelectorAll(".slide")].map((slide) => slide.dataset.ends);
      deck().querySelectorAll(".slide").forEach((slide, number) => { if (ends[number]) slide.dataset.ends = ends[number]; });
      return;
    }
    const alarm = "urgent" in fresh.dataset;
    stage.replaceChildren(fresh);
    current = 0;
    turned = performance.now();
    show();
    keep([location.pathname]);
    if (alarm && "chime" in body.dataset) chime();
  };

  const ask = async () => {
    try {
      const answer = await fetch(`${body.dataset.slides}?clock=${Date.now()}`, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN) });
      if (answer.ok) take(await answer.text());
      else if (answer.status === 404) location.reload();
    } catch { /* Said by turn(), when it lasts. */ }
    setTimeout(ask, ASK_EVERY);
  };

  const keep = async (addresses) => {
    if (!("serviceWorker" in navigator)) return;
    try { (await navigator.serviceWorker.ready).active.postMessage(addresses); } catch { /* It goes on without. */ }
  };

  show();
  setInterval(turn, 500);
  ask();
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("/signage/worker.js", { scope: "/signage/" }).catch(() => {});
    keep([location.pathname, ...[...document.querySelectorAll("link[rel=stylesheet], script[src]")].map((item) => item.href || item.src)]);
  }
})();
