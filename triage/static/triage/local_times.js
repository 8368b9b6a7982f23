// Moments in the zone of whoever looks; without script they stay in the zone of the desk.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const format = new Intl.DateTimeFormat(undefined, {
    year: "numeric", month: "short", day: "numeric",
    hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
  });
  for (const time of document.querySelectorAll("time.desk-time")) {
    time.textContent = format.format(new Date(time.dateTime));
  }
});
