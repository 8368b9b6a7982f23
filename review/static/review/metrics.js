"use strict";
// Draws what metrics/charts.py has prepared. Every figure also stands in the card's table, so
// without this file, or without Chart.js, nothing is lost but the pictures.

const MINUTE = 60, HOUR = 3600, DAY = 86400;
const page = document.querySelector(".metrics");
const drawn = [];

const colour = (tone) => getComputedStyle(page).getPropertyValue(`--m-${tone}`).trim();
const percent = (share) => `${Math.round(share * 100)} %`;
// Marks of an axis are round by themselves, and may be less than a percent apart.
const percentMark = (share) => `${(100 * share).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 })} %`;

function time(seconds) {
  if (seconds < HOUR) return `${Math.round(seconds / MINUTE)} min`;
  if (seconds < DAY) return seconds % HOUR ? `${Math.floor(seconds / HOUR)} h ${Math.round((seconds % HOUR) / MINUTE)}` : `${seconds / HOUR} h`;
  return `${+(seconds / DAY).toFixed(1)} d`;
}

function shorten(label, most) {
  return label.length <= most ? label : `${label.slice(0, most - 1).trimEnd()}…`;
}

// A long label becomes two lines, broken before its bracket or its last word that still fits.
function wrap(label) {
  const most = page.clientWidth < 620 ? 18 : 28;
  if (label.length <= most) return label;
  const bracket = label.lastIndexOf(" (");
  const at = bracket > 0 && bracket <= most ? bracket : label.lastIndexOf(" ", most);
  return at < 1 ? shorten(label, most) : [label.slice(0, at), shorten(label.slice(at + 1), most)];
}

// The whiskers are drawn by hand, so that Chart.js doesn't know how far they reach.
function farthest(data) {
  const points = data.series.flatMap((series) => series.points).filter(Boolean);
  return Math.max(...points.map((point) => point.high ?? point.value));
}

// Steps of a clock rather than of ten, so that an axis reads 0, 30 min, 1 h.
function clockStep(farthestSeconds) {
  const steps = [1, 5, 10, 15, 30, 60, 120, 240, 480, 1440, 2880, 5760, 14400].map((minutes) => minutes * MINUTE);
  return steps.find((step) => farthestSeconds / step <= 6) ?? 10 * DAY;
}

// Chart.js draws its own lines and bars; the whisker of an interval is the one shape it lacks.
const whiskers = {
  id: "whiskers",
  beforeDatasetsDraw(chart) {
    const { ctx, scales } = chart;
    chart.data.datasets.forEach((dataset, index) => {
      if (!dataset.points || !chart.isDatasetVisible(index)) return;
      chart.getDatasetMeta(index).data.forEach((element, row) => {
        const point = dataset.points[row];
        if (!point || point.low === null) return;
        const [left, right] = [scales.x.getPixelForValue(point.low), scales.x.getPixelForValue(point.high)];
        ctx.save();
        ctx.globalAlpha = 0.3;
        ctx.fillStyle = dataset.borderColor;
        ctx.beginPath();
        ctx.roundRect(left, element.y - 4, Math.max(2, right - left), 8, 4);
        ctx.fill();
        ctx.restore();
      });
    });
  },
};

function axes(data, isStacked) {
  const text = { color: colour("soft"), font: { size: 12 } };
  const narrow = page.clientWidth < 620;
  const reach = isStacked ? 1 : farthest(data);
  const isTime = data.unit === "seconds";
  const tick = data.unit === "kappa" ? (value) => value.toLocaleString(document.documentElement.lang) : percentMark;
  return {
    x: {
      stacked: isStacked,
      beginAtZero: true,
      suggestedMax: reach,
      max: isTime || reach < 0.9 ? undefined : 1,
      grid: { color: colour("line") },
      border: { display: false },
      ticks: isTime
        ? { ...text, stepSize: clockStep(reach), callback: time }
        : { ...text, maxTicksLimit: narrow ? 4 : 6, callback: tick },
    },
    y: {
      stacked: isStacked,
      type: "category",
      labels: data.labels,
      offset: true,
      grid: { display: false },
      border: { display: false },
      ticks: { ...text, color: colour("ink"), autoSkip: false, callback(value) { return wrap(this.getLabelForValue(value)); } },
    },
  };
}

function datasets(data) {
  if (data.kind === "shares") {
    return data.series.map((series) => ({
      label: series.name,
      data: series.values,
      counts: series.counts,
      backgroundColor: colour(series.tone),
      barThickness: 16,
      borderWidth: 0,
    }));
  }
  return data.series.map((series, index) => ({
    type: "scatter",
    label: series.name,
    points: series.points,
    // Two series of one row stand a little apart, so that neither hides the other.
    data: series.points.map((point, row) => ({ x: point ? point.value : NaN, y: row + spread(index, data.series.length) })),
    borderColor: colour(series.tone),
    backgroundColor: colour(series.tone),
    pointStyle: ["circle", "rectRot", "triangle"][index % 3],
    pointRadius: 5,
    clip: false,
    pointHoverRadius: 7,
  }));
}

const spread = (index, count) => (count < 2 ? 0 : (index - (count - 1) / 2) * (count > 2 ? 0.27 : 0.36));

function said(item) {
  const { dataset, dataIndex } = item;
  if (dataset.counts) return `${dataset.label}: ${dataset.counts[dataIndex]} (${percent(dataset.data[dataIndex])})`;
  const point = dataset.points[dataIndex];
  return `${dataset.label}: ${point.text}, n ${point.n}`;
}

function options(data) {
  const isStacked = data.kind === "shares";
  const scales = axes(data, isStacked);
  if (!isStacked) {
    // Rows as whole numbers rather than names, which is what lets points stand between them.
    Object.assign(scales.y, { type: "linear", reverse: true, min: -0.6, max: data.labels.length - 0.4 });
    scales.y.ticks.stepSize = 1;
    scales.y.afterBuildTicks = (axis) => { axis.ticks = data.labels.map((_, row) => ({ value: row })); };
    scales.y.ticks.callback = (row) => wrap(data.labels[row]);
  }
  return {
    indexAxis: "y",
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    scales,
    plugins: {
      legend: legendOf(data.series.length > 1, !isStacked),
      tooltip: {
        callbacks: {
          title: (items) => data.labels[items[0].dataIndex],
          label: said,
        },
      },
    },
  };
}

function draw(box) {
  const data = JSON.parse(document.getElementById(box.dataset.chart).textContent);
  const make = { trend: trendOf, limits: limitsOf }[data.kind] ?? rowsOf;
  box.classList.add("drawn");
  drawn.push(new Chart(box.querySelector("canvas"), make(data)));
}

function rowsOf(data) {
  return {
    type: data.kind === "shares" ? "bar" : "scatter",
    data: { labels: data.kind === "shares" ? data.labels : undefined, datasets: datasets(data) },
    options: options(data),
    plugins: [whiskers],
  };
}

function drawAll() {
  drawn.splice(0).forEach((chart) => chart.destroy());
  page.querySelectorAll("[data-chart]").forEach(draw);
}

if (page && window.Chart) {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
}
