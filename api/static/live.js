// Keeps #live fresh: after each event it fetches the server's own HTML again. Without this script a reload does the same.
"use strict";
(() => {
  const box = document.getElementById("live");
  if (!box || !window.EventSource) return;
  const state = document.getElementById("live-state");
  const text = state && state.querySelector(".text");
  const sound = document.getElementById("sound");
  let updated = state ? state.dataset.at : "";
  let busy = false;
  let again = false;

  function show(name) {
    if (!state) return;
    state.dataset.state = name;
    text.textContent = (name === "on" ? state.dataset.on : state.dataset.lost).replace("{at}", updated);
  }

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(box.dataset.url, { headers: { "X-Yiju-Fragment": "1" }, cache: "no-store" });
      if (answer.status === 401) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      swap(await answer.text());
      updated = answer.headers.get("X-Yiju-Time") || updated;
      if (events.readyState === EventSource.OPEN) show("on");
    } catch {
      show("lost");
    } finally {
      busy = false;
      if (again) { again = false; refresh(); }
    }
  }

  // A form in which somebody writes or has written: its very elements stay, with a date half entered and a choice made.
  const touched = (one) => one === document.activeElement ||
    (one.type === "checkbox" ? one.checked !== one.defaultChecked
      : one.tagName === "SELECT" ? one.selectedIndex !== Math.max(0, [...one.options].findIndex((option) => option.defaultSelected))
        : one.value !== one.defaultValue);
  const begun = (form) => [...form.elements].some((one) => one.matches("input:not([type=hidden]), select, textarea") && touched(one));

  // What a person has opened, written or reached by keyboard stays as it was.
  function swap(html) {
    const before = new Set(ids());
    const open = new Map([...box.querySelectorAll("details[data-keep]")].map((one) => [one.dataset.keep, one.open]));
    const forms = [...box.querySelectorAll("form")].filter(begun);
    const at = document.activeElement;
    const focus = at && box.contains(at) ? { id: at.id, form: at.closest("form")?.getAttribute("action"), start: at.selectionStart } : null;
    box.innerHTML = html;
    for (const one of forms) box.querySelector(`form[action="${CSS.escape(one.getAttribute("action"))}"]`)?.replaceWith(one);
    for (const one of box.querySelectorAll("details[data-keep]")) if (open.has(one.dataset.keep)) one.open = open.get(one.dataset.keep);
    if (focus) {
      const back = (box.contains(at) && at) || (focus.id && document.getElementById(focus.id)) ||
        (focus.form && box.querySelector(`form[action="${CSS.escape(focus.form)}"] button`));
      if (back) {
        back.focus({ preventScroll: true });
        if (typeof focus.start === "number" && back.setSelectionRange) back.setSelectionRange(focus.start, focus.start);
      }
    }
    const fresh = ids().filter((id) => !before.has(id));
    for (const id of fresh) box.querySelector(`[data-alert="${id}"]`).classList.add("new");
    if (fresh.length) ring();
  }
  const ids = () => [...box.querySelectorAll("[data-alert]")].map((one) => one.dataset.alert);

  function ring() {
    if (!sound || !sound.checked) return;
    if (navigator.vibrate) navigator.vibrate([200, 100, 200]);
    const audio = new AudioContext();
    [0, 0.25].forEach((delay, step) => {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = step ? 660 : 880;
      volume.gain.value = 0.15;
      tone.connect(volume).connect(audio.destination);
      tone.start(audio.currentTime + delay);
      tone.stop(audio.currentTime + delay + 0.2);
    });
    setTimeout(() => audio.close(), 1000);
  }
  if (sound) {
    sound.parentElement.hidden = false;
    sound.checked = localStorage.getItem("yiju-sound") === "1";
    sound.addEventListener("change", () => {
      localStorage.setItem("yiju-sound", sound.checked ? "1" : "0");
      ring();
    });
  }

  const events = new EventSource("/api/v1/events");
  const only = box.dataset.alert;
  events.addEventListener("hello", refresh);
  events.addEventListener("resync", refresh);
  events.addEventListener("alert", (event) => {
    if (!only || String(JSON.parse(event.data).alert) === only) refresh();
  });
  // The server ends each stream after a while and the browser comes back: only a longer silence is a loss.
  let lost = 0;
  events.addEventListener("open", () => { clearTimeout(lost); lost = 0; });
  events.addEventListener("error", () => {
    if (!lost) lost = setTimeout(() => show("lost"), 4000);
    if (events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 15000);
  });
  window.addEventListener("offline", () => show("lost"));
  window.addEventListener("online", refresh);
  // "10 minutes ago" grows old by itself.
  setInterval(refresh, 1000 * Number(box.dataset.every || 60));
  window.addEventListener("pagehide", () => events.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
