// Draws the timeline of a run and the history of a view from JSON in the page. Colours are variables of pages.css, so
// that a change of theme needs no redraw.
"use strict";
(() => {
  const COLOURS = { success: "var(--seeder-success)", error: "var(--seeder-error)", running: "var(--seeder-running)", pending: "var(--seeder-quiet-shape)" };
  const GRID = { stroke: "var(--border-color)", strokeOpacity: 1 };
  const NARROW = 560;

  // 12 s, 3:07, 2:05 h
  function formatDuration(seconds) {
    if (seconds < 1) return `${+seconds.toFixed(3)} s`;
    if (seconds < 60) return `${+seconds.toFixed(1)} s`;
    const twoDigits = (number) => String(Math.floor(number)).padStart(2, "0");
    if (seconds < 3600) return `${Math.floor(seconds / 60)}:${twoDigits(seconds % 60)}`;
    return `${Math.floor(seconds / 3600)}:${twoDigits((seconds % 3600) / 60)} h`;
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

  function timeline({ end, lanes, bars, holds }, width) {
    const barsPerLane = d3.rollup(bars, (laneBars) => laneBars.length, (bar) => bar.lane);
    const plotWidth = Math.max(width, 7 * (d3.max(barsPerLane.values()) ?? 0));
    const innerWidth = plotWidth - 64;
    const visible = Math.max(end, 0.001);
    const minDuration = (visible / innerWidth) * 2; // two pixels, so that the shortest bar is visible
    const barEnd = (bar) => Math.max(bar.to, bar.from + minDuration);
    const barWidth = (bar) => ((barEnd(bar) - bar.from) / visible) * innerWidth;
    const safeName = (bar) => bar.name.replace(/\p{Bidi_Control}/gu, "\ufffd"); // it would reverse the text after it
    const shortName = (bar) => safeName(bar).replace(/^.*\.(?=[^.]+$)/, "").replace(/^"|"$/g, "");
    const fits = (bar) => barWidth(bar) > shortName(bar).length * 6.4 + 14;
    const withStatus = (status) => bars.filter((bar) => bar.status === status);
    // A failed bar is higher than its lane, so that even a short one is visible.
    const solid = (status, overhang) => Plot.barX(withStatus(status), { x1: "from", x2: barEnd, y: "lane", fill: COLOURS[status], rx: 2, insetLeft: 0.5, insetRight: 0.5, insetTop: -overhang, insetBottom: -overhang, href: "url" });
    return Plot.plot({
      width: plotWidth, height: 56 + Math.max(lanes, 1) * 32, marginLeft: 68, marginRight: 12, marginBottom: 42, marginTop: 8, className: "plot",
      x: { domain: [0, visible], label: "time since start", labelArrow: "none", ticks: ticks(visible, plotWidth / 90), tickFormat: formatDuration, tickSize: 4 },
      y: { domain: d3.range(1, lanes + 1), label: null, tickFormat: (lane) => `worker ${lane}`, tickSize: 0, padding: 0.26 },
      marks: [
        Plot.gridX(ticks(visible, plotWidth / 90), GRID),
        Plot.rect(holds, { x1: "from", x2: "to", fill: "var(--seeder-warning)", fillOpacity: 0.25 }),
        Plot.barX(bars.filter((bar) => bar.throttleWait), { x1: (bar) => Math.max(bar.from - bar.throttleWait, 0), x2: "from", y: "lane", fill: "url(#seeder-throttle-wait)", stroke: "var(--seeder-quiet-shape)", strokeWidth: 0.75 }),
        solid("success", 0), solid("error", 3),
        Plot.barX(withStatus("running"), { x1: "from", x2: barEnd, y: "lane", fill: "var(--body-bg)", stroke: COLOURS.running, strokeWidth: 1.5, strokeDasharray: "4 3", rx: 2, href: "url" }),
        Plot.dot(withStatus("error").filter((bar) => barWidth(bar) > 12 && !fits(bar)), { x: (bar) => (bar.from + barEnd(bar)) / 2, y: "lane", symbol: "times", stroke: "var(--body-bg)", strokeWidth: 1.75, r: 4 }),
        Plot.text(bars.filter(fits), { x: "from", y: "lane", text: (bar) => (bar.status === "error" ? `× ${shortName(bar)}` : shortName(bar)), textAnchor: "start", dx: 6, fill: (bar) => (bar.status === "running" ? COLOURS.running : "var(--body-bg)"), pointerEvents: "none" }),
        tip(bars, { x: (bar) => (bar.from + barEnd(bar)) / 2, y: "lane", title: (bar) => `${safeName(bar)}\n${bar.description}${bar.throttleWait ? `\nthrottled for ${formatDuration(bar.throttleWait)} before start` : ""}`, maxRadius: 24 }),
        ...(holds.length ? [tip(holds, { x: (hold) => (hold.from + hold.to) / 2, frameAnchor: "top", title: (hold) => `Starts paused for ${formatDuration(hold.to - hold.from)}:\n${hold.reason}`, maxRadius: 30 })] : []),
      ],
    });
  }

  function history(runs, width) {
    const points = runs.map((run) => ({ ...run, at: new Date(run.at) }));
    const withStatus = (status) => points.filter((run) => run.status === status && run.duration !== null);
    const plotOptions = { width, marginLeft: 56, marginRight: 12, className: "plot" };
    const x = { type: "time", label: null, domain: timeDomain(points.map((run) => run.at)), ticks: width < NARROW ? 4 : 8, inset: 8 };
    const longest = d3.max(points, (run) => run.duration ?? 0) || 1;
    const durationTicks = ticks(longest, 4);
    const withRows = points.filter((run) => run.rows !== null);
    const container = document.createElement("div");
    container.append(Plot.plot({
      ...plotOptions, height: 190, marginTop: 28, x: { ...x, axis: null },
      y: { domain: [0, longest], nice: true, label: "Duration", labelArrow: "none", ticks: durationTicks, tickFormat: formatDuration },
      marks: [
        Plot.gridY(durationTicks, GRID), Plot.ruleY([0], { stroke: "var(--seeder-quiet-shape)" }),
        Plot.ruleX(withStatus("success"), { x: "at", y: "duration", stroke: COLOURS.success, strokeWidth: 2 }),
        Plot.ruleX(withStatus("error"), { x: "at", y: "duration", stroke: COLOURS.error, strokeWidth: 2, strokeDasharray: "3 2" }),
        Plot.dot(withStatus("success"), { x: "at", y: "duration", r: 3.5, fill: COLOURS.success, href: "url" }),
        Plot.dot(withStatus("error"), { x: "at", y: "duration", symbol: "times", r: 5, stroke: COLOURS.error, strokeWidth: 2.5, href: "url" }),
        Plot.dot(points.filter((run) => run.duration === null), { x: "at", y: 0, symbol: "triangle", r: 5, stroke: COLOURS.running, href: "url" }),
        tip(points, { x: "at", y: (run) => run.duration ?? 0, title: (run) => `${run.at.toLocaleString()}\n${run.description}` }),
      ],
    }));
    container.append(Plot.plot({
      ...plotOptions, height: 180, marginTop: 28, x,
      y: { label: "Rows", labelArrow: "none", ticks: 4, tickFormat: "~s", nice: true, zero: true },
      marks: [
        Plot.gridY({ ...GRID, ticks: 4 }),
        Plot.lineY(withRows, { x: "at", y: "rows", curve: "step-after", stroke: COLOURS.running, strokeWidth: 1.5 }),
        Plot.dot(withRows, { x: "at", y: "rows", r: 2.5, fill: COLOURS.running }),
        tip(withRows, { x: "at", y: "rows", title: (run) => `${run.at.toLocaleString()}\n${run.rows.toLocaleString()} rows` }),
      ],
    }));
    return container;
  }

  // A single instant has no extent: show 12 hours on each side.
  function timeDomain(instants) {
    const [first, last] = d3.extent(instants);
    return +first === +last ? [d3.utcHour.offset(first, -12), d3.utcHour.offset(last, 12)] : [first, last];
  }

  const CHARTS = { timeline, history };

  function draw(container) {
    const json = document.getElementById(container.dataset.source)?.textContent;
    const width = Math.floor(container.closest("figure").clientWidth);
    if (!json || !width || (container.renderedJson === json && container.renderedWidth === width)) return;
    [container.renderedJson, container.renderedWidth] = [json, width];
    const chart = CHARTS[container.dataset.chart](JSON.parse(json), width);
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
