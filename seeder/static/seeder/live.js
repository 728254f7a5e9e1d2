// Updates a page: fetches it again and changes only what differs, so that focus, scroll position and typed text are kept.
// It fetches often while something runs, and otherwise seldom, so that a run that starts appears. The page says how old it
// is, and if the server does not answer or the session has ended. Without JavaScript it works, but does not update itself.
"use strict";
(() => {
  const POLL_MS = { running: 2000, idle: 30000 };
  const MAX_POLL_MS = 60000;
  const TIMEOUT_MS = 20000;
  let failures = 0;
  let isUpdating = false;
  let timer;

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

  // Texts are those of the page, which are translated.
  function showConnection(state) {
    const connection = document.getElementById("seeder-connection");
    if (!connection || connection.dataset.state === state) return; // a screen reader announces only changes
    connection.dataset.state = state;
    connection.textContent = connection.dataset[state] ?? "";
    document.getElementById("seeder-log-in").hidden = state !== "loggedOut";
  }

  function stateOf(answer) {
    if (answer.redirected || answer.status === 401 || answer.status === 403) return "loggedOut";
    if (answer.status >= 400 && answer.status < 500) return "gone";
    return answer.ok ? "live" : "reconnecting";
  }

  async function update() {
    const options = { headers: { Accept: "text/html" }, credentials: "same-origin", signal: AbortSignal.timeout(TIMEOUT_MS) };
    const answer = await fetch(location.href, options);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("seeder-live");
    const state = stateOf(answer);
    if (state !== "live") return state; // keep the page
    if (!fresh) return "reconnecting"; // an answer of a proxy
    const focused = document.activeElement && document.activeElement.id;
    updateNode(liveElement(), fresh);
    if (focused && document.activeElement.id !== focused) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
    const updated = page.getElementById("seeder-updated");
    if (updated) updateNode(document.getElementById("seeder-updated"), updated);
    document.dispatchEvent(new CustomEvent("seeder:changed"));
    return state;
  }

  const pace = () => liveElement()?.dataset.live;

  async function refresh() {
    clearTimeout(timer);
    if (document.hidden || isUpdating || !pace()) return; // visibilitychange resumes
    isUpdating = true;
    const state = await update().catch(() => "reconnecting");
    isUpdating = false;
    failures = state === "live" ? 0 : failures + 1;
    showConnection(pace() ? state : "final");
    scheduleNext();
  }

  function scheduleNext() {
    if (!pace()) return;
    const backoff = Math.min(POLL_MS.running * 2 ** (failures - 1), MAX_POLL_MS);
    timer = setTimeout(refresh, failures ? backoff : POLL_MS[pace()]);
  }

  document.addEventListener("visibilitychange", refresh);
  window.addEventListener("online", refresh);
  window.addEventListener("pageshow", (event) => event.persisted && refresh()); // the browser kept the page
  showConnection("live");
  scheduleNext();
})();
