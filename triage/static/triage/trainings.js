// Bars of trainings go on by themselves; once all are over, the page around them is loaded again.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const PAUSE_MS = 2000;
  const again = async () => {
    const shown = document.querySelector(".desk-trainings[data-poll]");
    if (!shown) return;
    try {
      const answer = await fetch(shown.dataset.poll, { headers: { "X-Requested-With": "fetch" } });
      // Signed out meanwhile: the page that asks for it says so better than a bar.
      if (answer.redirected) return location.reload();
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector(".desk-trainings");
        if (!fresh || !fresh.dataset.poll) return location.reload();
        shown.replaceWith(fresh);
      }
    } catch {
      // The server is away for a moment; the next round asks again.
    }
    setTimeout(again, PAUSE_MS);
  };
  setTimeout(again, PAUSE_MS);
});
