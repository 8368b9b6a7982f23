// A worker that ticks: browsers slow the timers of hidden pages down to less than a lease, but not these.
"use strict";
onmessage = ({ data }) => setInterval(() => postMessage(0), data * 1000);
