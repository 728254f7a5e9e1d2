// Keeps a page up to date while something runs: fetches it again and changes only what differs, so that focus, scroll
// position and whatever somebody is typing stay as they are. Without it, the page is the same and stands still.
"use strict";
(() => {
  const EVERY = 2000; // ms
  const SLOWEST = 60000;
  let pause = EVERY;
  let timer = null;

  const live = () => document.getElementById("seeder-live");

  function alike(old, fresh) {
    return old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && (old.id || "") === (fresh.id || "");
  }

  function attributes(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  }

  function become(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.name === "csrfmiddlewaretoken") return; // a fresh mask each time; the old one holds as well
    const open = old.nodeName === "DETAILS" && old.open;
    attributes(old, fresh);
    if (open) old.open = true;
    if ("chart" in old.dataset) return; // what is in there was drawn here
    children(old, fresh);
  }

  // Elements with an id are found wherever they have moved to.
  function children(old, fresh) {
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const known = wanted.id && [...old.children].find((child) => child.id === wanted.id && alike(child, wanted));
      if (known && known !== at) {
        if (typeof old.moveBefore === "function") old.moveBefore(known, at); // keeps the focus
        else old.insertBefore(known, at);
        at = known;
      }
      if (at && alike(at, wanted)) {
        become(at, wanted);
        at = at.nextSibling;
      } else {
        old.insertBefore(document.importNode(wanted, true), at);
      }
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  }

  async function refresh() {
    timer = null;
    if (document.hidden) return; // goes on when somebody looks again
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("seeder-live");
      if (!answer.ok || answer.redirected || !fresh) return; // logged out, or gone: what is shown is as it was
      const focused = document.activeElement && document.activeElement.id;
      become(live(), fresh);
      if (focused && document.activeElement.id !== focused) {
        document.getElementById(focused)?.focus({ preventScroll: true });
      }
      pause = EVERY;
      document.dispatchEvent(new CustomEvent("seeder:changed"));
    } catch {
      pause = Math.min(pause * 2, SLOWEST); // the server is away; it may come back
    }
    wait();
  }

  function wait() {
    if (timer === null && live()?.dataset.live) timer = setTimeout(refresh, pause);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !live()?.dataset.live) return;
    clearTimeout(timer);
    refresh();
  });
  wait();
})();
