"use strict";
// Lines from week to week, and groups against the limits of chance, for metrics.js, which has the
// colours and the words. Chart.js draws points and lines; bands and marks are drawn here.

const isNarrow = () => page.clientWidth < 620;
const unitTick = (data) => (data.unit === "share" ? percentMark : time);
const tickText = () => ({ color: colour("soft"), font: { size: 12 } });

function polygon(ctx, points) {
  ctx.beginPath();
  points.forEach(([x, y], index) => (index ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  ctx.closePath();
  ctx.fill();
}

function inside(chart, work) {
  const { ctx, chartArea: area } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(area.left, area.top, area.width, area.height);
  ctx.clip();
  work(ctx, chart.scales.x, chart.scales.y, area);
  ctx.restore();
}

// Runs of weeks that follow one another and have an interval; a week without one breaks the band.
function runs(points) {
  const found = [[]];
  points.forEach((point, index) => {
    if (point && point.low !== null) found.at(-1).push(index);
    else if (found.at(-1).length) found.push([]);
  });
  return found.filter((run) => run.length);
}

const weekBands = (data) => ({
  id: "weekBands",
  beforeDatasetsDraw(chart) {
    inside(chart, (ctx, x, y) => {
      data.series.forEach((series, index) => {
        if (!chart.isDatasetVisible(index)) return;
        ctx.globalAlpha = 0.16;
        ctx.fillStyle = colour(series.tone);
        runs(series.points).forEach((run) => {
          // A single week has a band as wide as a whisker.
          const wide = run.length > 1 ? 0 : 4;
          const at = (week) => x.getPixelForValue(data.at[week]);
          const edge = (name, side) => run.map((week) => [at(week) + side * wide, y.getPixelForValue(series.points[week][name])]);
          polygon(ctx, wide
            ? [...edge("high", -1), ...edge("high", 1), ...edge("low", 1), ...edge("low", -1)]
            : [...edge("high", 0), ...edge("low", 0).reverse()]);
        });
      });
    });
  },
  afterDatasetsDraw(chart) {
    const { ctx, scales: { x }, chartArea: area } = chart;
    data.marks.forEach((mark) => {
      const at = x.getPixelForValue(mark.at);
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = colour("ink");
      ctx.setLineDash([4, 4]);
      ctx.beginPath();
      ctx.moveTo(at, area.top);
      ctx.lineTo(at, area.bottom);
      ctx.stroke();
      ctx.font = `12px ${Chart.defaults.font.family}`;
      ctx.textAlign = at > (area.left + area.right) / 2 ? "right" : "left";
      ctx.fillText(mark.text, at + (ctx.textAlign === "left" ? 5 : -5), area.top + 11);
      ctx.restore();
    });
  },
});

function reachOf(points) {
  const highs = points.filter(Boolean).map((point) => point.high ?? point.value);
  const values = points.filter(Boolean).map((point) => point.value);
  // One wide interval must not press all other lines flat.
  return Math.min(Math.max(...highs), 2.5 * Math.max(...values));
}

function weekAxes(data) {
  const isShare = data.unit === "share";
  const reach = Math.max(reachOf(data.series.flatMap((series) => series.points)), isShare ? 0.02 : 60);
  const last = data.at.at(-1);
  return {
    x: {
      type: "linear",
      min: -last * 0.02,
      max: last * 1.02,
      grid: { display: false },
      border: { display: false },
      title: { display: Boolean(data.axis), text: data.axis, ...tickText() },
      afterBuildTicks(axis) { axis.ticks = apart(data.at, isNarrow() ? 4 : 9).map((value) => ({ value })); },
      ticks: { ...tickText(), autoSkip: false, maxRotation: 0, callback: (value) => data.labels[data.at.indexOf(value)] },
    },
    y: {
      beginAtZero: true,
      suggestedMax: reach,
      max: isShare && reach > 0.9 ? 1 : undefined,
      grid: { color: colour("line") },
      border: { display: false },
      afterBuildTicks(axis) { if (!isShare) axis.ticks = clockTicks(reach); },
      ticks: { ...tickText(), maxTicksLimit: 5, callback: unitTick(data) },
    },
  };
}

// Those places of the line whose words do not run into one another.
function apart(places, most) {
  const gap = (places.at(-1) - places[0]) / most;
  const kept = [];
  places.forEach((place) => { if (!kept.length || place - kept.at(-1) >= gap) kept.push(place); });
  return kept;
}

function clockTicks(reach) {
  const step = clockStep(reach * 1.4);
  return [0, 1, 2, 3, 4, 5].map((count) => ({ value: count * step })).filter((tick) => tick.value <= reach * 1.05);
}

function trendOf(data) {
  return {
    type: "line",
    data: {
      datasets: data.series.map((series) => ({
        label: series.name,
        points: series.points,
        data: series.points.map((point, week) => ({ x: data.at[week], y: point ? point.value : NaN })),
        borderColor: colour(series.tone),
        backgroundColor: colour(series.tone),
        borderWidth: 2,
        borderDash: series.is_past ? [5, 3] : [],
        pointStyle: series.is_past ? "rect" : "circle",
        pointRadius: 3,
        pointHoverRadius: 5,
      })),
    },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "nearest", intersect: false },
      scales: weekAxes(data),
      plugins: {
        legend: legendOf(data.series.length > 1, true),
        tooltip: { callbacks: { title: (items) => (data.titles ?? data.labels)[items[0].dataIndex], label: said } },
      },
    },
    plugins: [weekBands(data)],
  };
}

const chanceBands = (data) => ({
  id: "chanceBands",
  beforeDatasetsDraw(chart) {
    inside(chart, (ctx, x, y, area) => {
      const edge = (name) => data.bands.map((band) => [x.getPixelForValue(band.n), y.getPixelForValue(band[name])]);
      ctx.fillStyle = colour("idle");
      ctx.globalAlpha = 0.18;
      polygon(ctx, [...edge("far_high"), ...edge("far_low").reverse()]);
      polygon(ctx, [...edge("high"), ...edge("low").reverse()]);
      ctx.globalAlpha = 1;
      ctx.strokeStyle = colour("soft");
      ctx.setLineDash([2, 3]);
      ctx.beginPath();
      ctx.moveTo(area.left, y.getPixelForValue(data.total));
      ctx.lineTo(area.right, y.getPixelForValue(data.total));
      ctx.stroke();
    });
  },
  afterDatasetsDraw(chart) {
    const { ctx, chartArea: area } = chart;
    const taken = [];
    ctx.save();
    ctx.font = `12px ${Chart.defaults.font.family}`;
    ctx.fillStyle = colour("ink");
    chart.getDatasetMeta(0).data.forEach((element, index) => {
      const point = data.series[0].points[index];
      if (!point.is_far) return;
      const name = shorten(point.label, isNarrow() ? 16 : 26);
      const width = ctx.measureText(name).width;
      const left = element.x + 9 + width > area.right ? element.x - 9 - width : element.x + 9;
      // One above the other rather than one over the other.
      let line = element.y + 4;
      while (taken.some((box) => Math.abs(box.line - line) < 14 && left < box.right && box.left < left + width)) line += 14;
      taken.push({ line, left, right: left + width });
      ctx.fillText(name, left, line);
    });
    ctx.restore();
  },
});

const isRound = (value) => [1, 2, 5].some((lead) => { const power = Math.log10(value / lead); return Math.abs(power - Math.round(power)) < 1e-9; });

function limitAxes(data) {
  const points = data.series[0].points;
  const far = Math.max(...points.map((point) => point.value), ...data.bands.filter((band) => band.n >= Math.min(...points.map((point) => point.n))).map((band) => band.far_high));
  return {
    x: {
      type: "logarithmic",
      min: data.bands[0].n,
      max: data.bands.at(-1).n,
      title: { display: true, text: data.axis, ...tickText() },
      grid: { display: false },
      border: { display: false },
      ticks: { ...tickText(), maxRotation: 0, callback: (value) => (isRound(value) ? value.toLocaleString() : null) },
    },
    y: {
      min: 0,
      suggestedMax: far,
      max: far > 0.9 ? 1 : undefined,
      grid: { color: colour("line") },
      border: { display: false },
      ticks: { ...tickText(), maxTicksLimit: 6, callback: percentMark },
    },
  };
}

function limitsOf(data) {
  const points = data.series[0].points;
  const tones = points.map((point) => colour(point.tone));
  return {
    type: "scatter",
    data: {
      datasets: [{
        label: data.series[0].name,
        points,
        data: points.map((point) => ({ x: point.n, y: point.value })),
        borderColor: tones,
        backgroundColor: tones,
        pointStyle: points.map((point) => (point.is_far ? "rectRot" : "circle")),
        pointRadius: points.map((point) => (point.is_far ? 6 : 4)),
        pointHoverRadius: 7,
        clip: false,
      }],
    },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      scales: limitAxes(data),
      plugins: {
        legend: { display: false },
        tooltip: { callbacks: { title: (items) => points[items[0].dataIndex].label, label: said } },
      },
    },
    plugins: [chanceBands(data)],
  };
}

function legendOf(isShown, usePointStyle) {
  return {
    display: isShown,
    position: "bottom",
    labels: { color: colour("ink"), boxWidth: 10, boxHeight: 10, padding: 12, usePointStyle },
  };
}
