// Updates a page while something runs: fetches it again and changes only what differs, so that focus, scroll position
// and typed text are kept. Without JavaScript the page works, but does not update itself.
"use strict";
(() => {
  const POLL_MS = 2000;
  const MAX_POLL_MS = 60000;
  let delay = POLL_MS;
  let timer = null;

  const liveElement = () => document.getElementById("seeder-live");

  function isSameElement(old, fresh) {
    return old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && (old.id || "") === (fresh.id || "");
  }

  function updateAttributes(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  }

  function updateNode(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.name === "csrfmiddlewaretoken") return; // masked anew in each response; the old one stays valid
    const open = old.nodeName === "DETAILS" && old.open;
    updateAttributes(old, fresh);
    if (open) old.open = true;
    if ("chart" in old.dataset) return; // charts.js has drawn its content
    updateChildren(old, fresh);
  }

  // Elements with an id are recognized after they have moved.
  function updateChildren(old, fresh) {
    let at = old.firstChild;
    for (const target of [...fresh.childNodes]) {
      const existing = target.id && [...old.children].find((child) => child.id === target.id && isSameElement(child, target));
      if (existing && existing !== at) {
        if (typeof old.moveBefore === "function") old.moveBefore(existing, at); // keeps the focus
        else old.insertBefore(existing, at);
        at = existing;
      }
      if (at && isSameElement(at, target)) {
        updateNode(at, target);
        at = at.nextSibling;
      } else {
        old.insertBefore(document.importNode(target, true), at);
      }
    }
    while (at) {
      const removed = at;
      at = at.nextSibling;
      removed.remove();
    }
  }

  async function refresh() {
    timer = null;
    if (document.hidden) return; // visibilitychange resumes
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("seeder-live");
      if (!answer.ok || answer.redirected || !fresh) return; // logged out, or removed: keep the page
      const focused = document.activeElement && document.activeElement.id;
      updateNode(liveElement(), fresh);
      if (focused && document.activeElement.id !== focused) {
        document.getElementById(focused)?.focus({ preventScroll: true });
      }
      delay = POLL_MS;
      document.dispatchEvent(new CustomEvent("seeder:changed"));
    } catch {
      delay = Math.min(delay * 2, MAX_POLL_MS); // the server does not answer: poll less often
    }
    scheduleNext();
  }

  function scheduleNext() {
    if (timer === null && liveElement()?.dataset.live) timer = setTimeout(refresh, delay);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !liveElement()?.dataset.live) return;
    clearTimeout(timer);
    refresh();
  });
  scheduleNext();
})();
