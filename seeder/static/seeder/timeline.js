// Zooms the timeline of a run to the time that the pointer was dragged over. Without it, the links above the timeline zoom.
"use strict";
(() => {
  const MIN_PIXELS = 8; // a shorter drag is a click
  let drag = null;

  const plotAt = (target) => target.closest?.("figure.timeline :is(svg.plot, svg.axis)");

  function fractionAt(event) {
    const { left, width } = drag.box;
    return Math.min(Math.max((event.clientX - left) / width, 0), 1);
  }

  function showSelection(from, to) {
    const figure = drag.figure.getBoundingClientRect();
    drag.selection.style.left = `${drag.box.left - figure.left + from * drag.box.width}px`;
    drag.selection.style.width = `${(to - from) * drag.box.width}px`;
  }

  function zoomTo(figure, from, to) {
    const start = Number(figure.dataset.start);
    const seconds = Number(figure.dataset.end) - start;
    const url = new URL(location.href);
    url.searchParams.set("start", (start + from * seconds).toPrecision(6));
    url.searchParams.set("end", (start + to * seconds).toPrecision(6));
    url.hash = "timeline-heading";
    location.assign(url);
  }

  document.addEventListener("pointerdown", (event) => {
    const plot = plotAt(event.target);
    if (!plot || event.button !== 0 || event.pointerType === "touch") return; // a touch scrolls the page
    drag = { figure: plot.closest("figure"), box: plot.getBoundingClientRect(), x: event.clientX, selection: document.createElement("div") };
    drag.from = fractionAt(event);
    drag.selection.className = "selection";
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag || Math.abs(event.clientX - drag.x) < MIN_PIXELS) return;
    if (!drag.selection.isConnected) drag.figure.append(drag.selection);
    const at = fractionAt(event);
    showSelection(Math.min(drag.from, at), Math.max(drag.from, at));
  });
  document.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { figure, from, selection } = drag;
    const at = fractionAt(event);
    drag = null;
    if (!selection.isConnected) return;
    selection.remove();
    // The click at the end of a drag would follow the link of a bar.
    document.addEventListener("click", (click) => click.preventDefault(), { capture: true, once: true });
    setTimeout(() => zoomTo(figure, Math.min(from, at), Math.max(from, at)));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !drag) return;
    drag.selection.remove();
    drag = null;
  });
  document.addEventListener("dragstart", (event) => {
    if (plotAt(event.target)) event.preventDefault(); // of the link of a bar
  });
})();
