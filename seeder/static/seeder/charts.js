// Draws what the tables say. All colours are variables of the page's style sheet, so that a theme changes them at once.
"use strict";
(() => {
  const COLOURS = { success: "var(--seeder-success)", error: "var(--seeder-error)", running: "var(--seeder-running)", pending: "var(--seeder-quiet-shape)" };
  const GRID = { stroke: "var(--border-color)", strokeOpacity: 1 };
  const NARROW = 560;
  const SVG = "http://www.w3.org/2000/svg";

  // 12 s, 3:07, 2:05 h
  function span(seconds) {
    if (seconds < 1) return `${+seconds.toFixed(3)} s`;
    if (seconds < 60) return `${+seconds.toFixed(1)} s`;
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
    return `${Math.floor(seconds / 3600)}:${two((seconds % 3600) / 60)} h`;
  }

  // Steps that people count time in.
  function ticks(end, most) {
    const steps = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
    if (end < 60) return d3.ticks(0, end, most);
    return d3.range(0, end * 1.0001, steps.find((step) => end / step <= most) ?? Math.ceil(end / most / 86400) * 86400);
  }

  function hatched(chart, name, colour) {
    const pattern = document.createElementNS(SVG, "pattern");
    for (const [key, value] of Object.entries({ id: name, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" })) pattern.setAttribute(key, value);
    const line = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ width: 1.5, height: 5, fill: colour })) line.setAttribute(key, value);
    pattern.append(line);
    chart.prepend(pattern);
  }

  function tip(points, options) {
    return Plot.tip(points, Plot.pointer({ fill: "var(--body-bg)", stroke: "var(--border-color)", textPadding: 8, lineWidth: 30, lineHeight: 1.35, ...options }));
  }

  function timeline({ end, lanes, bars, holds }, width) {
    const most = d3.rollup(bars, (of) => of.length, (bar) => bar.lane);
    const wide = Math.max(width, 7 * (d3.max(most.values()) ?? 0));
    const inner = wide - 64;
    const visible = Math.max(end, 0.001);
    const least = (visible / inner) * 2; // so that the shortest bar can be seen
    const ended = (bar) => Math.max(bar.to, bar.from + least);
    const across = (bar) => ((ended(bar) - bar.from) / visible) * inner;
    const shown = (bar) => bar.name.replace(/\p{Bidi_Control}/gu, "\ufffd"); // it would turn round the text beside it
    const short = (bar) => shown(bar).replace(/^.*\.(?=[^.]+$)/, "").replace(/^"|"$/g, "");
    const fits = (bar) => across(bar) > short(bar).length * 6.4 + 14;
    const of = (status) => bars.filter((bar) => bar.status === status);
    // A failure stands out of its lane, however short it was.
    const solid = (status, beyond) => Plot.barX(of(status), { x1: "from", x2: ended, y: "lane", fill: COLOURS[status], rx: 2, insetLeft: 0.5, insetRight: 0.5, insetTop: -beyond, insetBottom: -beyond, href: "url" });
    return Plot.plot({
      width: wide, height: 56 + Math.max(lanes, 1) * 32, marginLeft: 52, marginRight: 12, marginBottom: 42, marginTop: 8, className: "plot",
      x: { domain: [0, visible], label: "since the run began", labelArrow: "none", ticks: ticks(visible, wide / 90), tickFormat: span, tickSize: 4 },
      y: { domain: d3.range(1, lanes + 1), label: null, tickFormat: (lane) => `worker ${lane}`, tickSize: 0, padding: 0.26 },
      marks: [
        Plot.gridX(ticks(visible, wide / 90), GRID),
        Plot.rect(holds, { x1: "from", x2: "to", fill: "var(--seeder-warning)", fillOpacity: 0.25 }),
        Plot.barX(bars.filter((bar) => bar.throttleWait), { x1: (bar) => Math.max(bar.from - bar.throttleWait, 0), x2: "from", y: "lane", fill: "url(#seeder-throttleWait)", stroke: "var(--seeder-quiet-shape)", strokeWidth: 0.75 }),
        solid("success", 0), solid("error", 3),
        Plot.barX(of("running"), { x1: "from", x2: ended, y: "lane", fill: "var(--body-bg)", stroke: COLOURS.running, strokeWidth: 1.5, strokeDasharray: "4 3", rx: 2, href: "url" }),
        Plot.dot(of("error").filter((bar) => across(bar) > 12 && !fits(bar)), { x: (bar) => (bar.from + ended(bar)) / 2, y: "lane", symbol: "times", stroke: "var(--body-bg)", strokeWidth: 1.75, r: 4 }),
        Plot.text(bars.filter(fits), { x: "from", y: "lane", text: (bar) => (bar.status === "error" ? `× ${short(bar)}` : short(bar)), textAnchor: "start", dx: 6, fill: (bar) => (bar.status === "running" ? COLOURS.running : "var(--body-bg)"), pointerEvents: "none" }),
        tip(bars, { x: (bar) => (bar.from + ended(bar)) / 2, y: "lane", title: (bar) => `${shown(bar)}\n${bar.description}${bar.throttleWait ? `\nheld back for ${span(bar.throttleWait)} before` : ""}`, maxRadius: 24 }),
        ...(holds.length ? [tip(holds, { x: (wait) => (wait.from + wait.to) / 2, frameAnchor: "top", title: (wait) => `Nothing might start for ${span(wait.to - wait.from)}:\n${wait.reason}`, maxRadius: 30 })] : []),
      ],
    });
  }

  function history(runs, width) {
    const points = runs.map((run) => ({ ...run, at: new Date(run.at) }));
    const of = (status) => points.filter((run) => run.status === status && run.duration !== null);
    const shared = { width, marginLeft: 56, marginRight: 12, className: "plot" };
    const x = { type: "time", label: null, domain: about(points.map((run) => run.at)), ticks: width < NARROW ? 4 : 8, inset: 8 };
    const longest = d3.max(points, (run) => run.duration ?? 0) || 1;
    const heights = ticks(longest, 4);
    const filled = points.filter((run) => run.rows !== null);
    const figures = document.createElement("div");
    figures.append(Plot.plot({
      ...shared, height: 190, marginTop: 28, x: { ...x, axis: null },
      y: { domain: [0, longest], nice: true, label: "Duration", labelArrow: "none", ticks: heights, tickFormat: span },
      marks: [
        Plot.gridY(heights, GRID), Plot.ruleY([0], { stroke: "var(--seeder-quiet-shape)" }),
        Plot.ruleX(of("success"), { x: "at", y: "duration", stroke: COLOURS.success, strokeWidth: 2 }),
        Plot.ruleX(of("error"), { x: "at", y: "duration", stroke: COLOURS.error, strokeWidth: 2, strokeDasharray: "3 2" }),
        Plot.dot(of("success"), { x: "at", y: "duration", r: 3.5, fill: COLOURS.success, href: "url" }),
        Plot.dot(of("error"), { x: "at", y: "duration", symbol: "times", r: 5, stroke: COLOURS.error, strokeWidth: 2.5, href: "url" }),
        Plot.dot(points.filter((run) => run.duration === null), { x: "at", y: 0, symbol: "triangle", r: 5, stroke: COLOURS.running, href: "url" }),
        tip(points, { x: "at", y: (run) => run.duration ?? 0, title: (run) => `${run.at.toLocaleString()}\n${run.description}` }),
      ],
    }));
    figures.append(Plot.plot({
      ...shared, height: 180, marginTop: 28, x,
      y: { label: "Rows", labelArrow: "none", ticks: 4, tickFormat: "~s", nice: true, zero: true },
      marks: [
        Plot.gridY({ ...GRID, ticks: 4 }),
        Plot.lineY(filled, { x: "at", y: "rows", curve: "step-after", stroke: COLOURS.running, strokeWidth: 1.5 }),
        Plot.dot(filled, { x: "at", y: "rows", r: 2.5, fill: COLOURS.running }),
        tip(filled, { x: "at", y: "rows", title: (run) => `${run.at.toLocaleString()}\n${run.rows.toLocaleString()} rows` }),
      ],
    }));
    return figures;
  }

  // A single instant has no extent.
  function about(instants) {
    const [first, last] = d3.extent(instants);
    return +first === +last ? [d3.utcHour.offset(first, -12), d3.utcHour.offset(last, 12)] : [first, last];
  }

  const KINDS = { timeline, history };

  function draw(place) {
    const told = document.getElementById(place.dataset.of)?.textContent;
    const width = Math.floor(place.closest("figure").clientWidth);
    if (!told || !width || (place.drawn === told && place.drawnAt === width)) return;
    [place.drawn, place.drawnAt] = [told, width];
    const chart = KINDS[place.dataset.chart](JSON.parse(told), width);
    // What it would say of itself stands in pages.css: a host's content security policy may refuse style elements.
    for (const style of chart.querySelectorAll("style")) style.remove();
    place.replaceChildren(chart);
    const first = chart.matches("svg") ? chart : chart.querySelector("svg");
    hatched(first, "seeder-throttleWait", "var(--seeder-quiet-shape)");
    // The caption says what it shows, and the table what it consists of.
    for (const svg of place.querySelectorAll("svg")) svg.setAttribute("aria-hidden", "true");
    // The table has the same links, in order; hundreds of them here would be in the way of a keyboard.
    for (const link of place.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
  }

  const all = () => document.querySelectorAll("[data-chart]").forEach(draw);
  document.addEventListener("seeder:changed", all);
  new ResizeObserver(all).observe(document.getElementById("seeder-live"));
  all();
})();
