// Draws the history of a view from JSON in the page. Colours are variables of pages.css, so
// that a change of theme needs no redraw.
"use strict";
(() => {
  const PUBLISHED = { succeeded: "var(--seeder-success)", skipped: "var(--seeder-skipped)" };
  const UNPUBLISHED = { failed: "var(--seeder-error)", held: "var(--seeder-held)", interrupted: "var(--seeder-interrupted)" };
  const RUNNING = "var(--seeder-running)";
  const GRID = { stroke: "var(--border-color)", strokeOpacity: 1 };
  const NARROW = 560;
  const LANGUAGE = document.documentElement.lang || undefined;
  const COMPACT = { notation: "compact", maximumFractionDigits: 1 };
  const MIN_SPAN = 10 * 60 * 1000; // of the axis of time, whose ticks are minutes at least

  const formatNumber = (number, options) => number.toLocaleString(LANGUAGE, options);

  // 12 s, 3:07, 2:05 h
  function formatDuration(seconds) {
    if (seconds < 60) return `${formatNumber(seconds, { maximumFractionDigits: seconds < 1 ? 3 : 1 })} s`;
    const twoDigits = (number) => String(Math.floor(number)).padStart(2, "0");
    if (seconds < 3600) return `${Math.floor(seconds / 60)}:${twoDigits(seconds % 60)}`;
    return `${Math.floor(seconds / 3600)}:${twoDigits((seconds % 3600) / 60)} h`;
  }

  // 02:00, 1 Dec, 1 Jan 2027: the clock and the days of the page, of which `firstDays` has the first of each month.
  function formatTick(at, firstDays) {
    if (at.getUTCHours() || at.getUTCMinutes()) return at.toISOString().slice(11, 16);
    const day = firstDays[at.getUTCMonth()].replace("1", at.getUTCDate());
    return at.getUTCMonth() || at.getUTCDate() > 1 ? day : `${day}\n${at.getUTCFullYear()}`;
  }

  // Returns round steps of minutes, hours or days.
  function ticks(end, maxTicks) {
    const steps = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
    if (end < 60) return d3.ticks(0, end, maxTicks);
    return d3.range(0, end * 1.0001, steps.find((step) => end / step <= maxTicks) ?? Math.ceil(end / maxTicks / 86400) * 86400);
  }

  function tip(points, options) {
    return Plot.tip(points, Plot.pointer({ fill: "var(--body-bg)", stroke: "var(--border-color)", textPadding: 8, lineWidth: 30, lineHeight: 1.35, ...options }));
  }

  function history(runs, width, labels) {
    const points = runs.map((run) => ({ ...run, at: new Date(run.at) }));
    const inState = (state) => points.filter((run) => run.state === state && run.duration !== null);
    const plotOptions = { width, marginLeft: 56, marginRight: 12, className: "plot" };
    const firstDays = labels.days.split("|");
    const x = {
      type: "utc", label: null, domain: timeDomain(points.map((run) => run.at)), ticks: width < NARROW ? 3 : 8, inset: 8,
      tickFormat: (at) => formatTick(at, firstDays),
    };
    const longest = d3.max(points, (run) => run.high ?? run.duration ?? 0) || 1;
    const durationTicks = ticks(longest, 4);
    const span = { x: "at", y1: (run) => run.low ?? 0, y2: (run) => run.high ?? run.duration }; // of an interval, or one run
    const withRows = points.filter((run) => run.rows !== null);
    const container = document.createElement("div");
    container.append(Plot.plot({
      ...plotOptions, height: 190, marginTop: 28, x: { ...x, axis: null },
      y: { domain: [0, longest], nice: true, label: labels.duration, labelArrow: "none", ticks: durationTicks, tickFormat: formatDuration },
      marks: [
        Plot.gridY(durationTicks, GRID), Plot.ruleY([0], { stroke: "var(--seeder-quiet-shape)" }),
        ...Object.entries(PUBLISHED).flatMap(([state, colour]) => [
          Plot.ruleX(inState(state), { ...span, stroke: colour, strokeWidth: 2 }),
          Plot.dot(inState(state), { x: "at", y: "duration", r: 3.5, fill: colour, href: "url" }),
        ]),
        ...Object.entries(UNPUBLISHED).flatMap(([state, colour]) => [
          Plot.ruleX(inState(state), { ...span, stroke: colour, strokeWidth: 2, strokeDasharray: "3 2" }),
          Plot.dot(inState(state), { x: "at", y: "duration", symbol: "times", r: 5, stroke: colour, strokeWidth: 2.5, href: "url" }),
        ]),
        Plot.dot(points.filter((run) => run.duration === null), { x: "at", y: 0, symbol: "triangle", r: 5, stroke: RUNNING, href: "url" }),
        tip(points, { x: "at", y: (run) => run.duration ?? 0, title: (run) => `${run.at_text}\n${run.description}` }),
      ],
    }));
    container.append(Plot.plot({
      ...plotOptions, height: 180, marginTop: 28, x,
      y: { label: labels.rows, labelArrow: "none", ticks: 4, tickFormat: (rows) => formatNumber(rows, COMPACT), nice: true, zero: true },
      marks: [
        Plot.gridY({ ...GRID, ticks: 4 }),
        Plot.lineY(withRows, { x: "at", y: "rows", curve: "step-after", stroke: RUNNING, strokeWidth: 1.5 }),
        Plot.dot(withRows, { x: "at", y: "rows", r: 2.5, fill: RUNNING }),
        tip(withRows, { x: "at", y: "rows", title: (run) => `${run.at_text}\n${labels.rows}: ${formatNumber(run.rows)}` }),
      ],
    }));
    return container;
  }

  // A single instant has no extent: show 12 hours on each side.
  function timeDomain(instants) {
    const [first, last] = d3.extent(instants);
    if (+first === +last) return [d3.utcHour.offset(first, -12), d3.utcHour.offset(last, 12)];
    const margin = Math.max(0, MIN_SPAN - (last - first)) / 2;
    return [new Date(+first - margin), new Date(+last + margin)];
  }

  const CHARTS = { history };

  function draw(container) {
    const json = document.getElementById(container.dataset.source)?.textContent;
    const width = Math.floor(container.closest("figure").clientWidth);
    if (!json || !width || (container.renderedJson === json && container.renderedWidth === width)) return;
    [container.renderedJson, container.renderedWidth] = [json, width];
    const chart = CHARTS[container.dataset.chart](JSON.parse(json), width, container.dataset);
    // pages.css has these rules: a host's Content-Security-Policy may forbid style elements.
    for (const style of chart.querySelectorAll("style")) style.remove();
    container.replaceChildren(chart);
    // Screen readers use the caption and the table.
    for (const svg of container.querySelectorAll("svg")) svg.setAttribute("aria-hidden", "true");
    // The table has the same links in order. Hundreds of tab stops here would block keyboard users.
    for (const link of container.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
  }

  const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);
  document.addEventListener("seeder:changed", drawAll);
  new ResizeObserver(drawAll).observe(document.getElementById("seeder-live"));
  drawAll();
})();
