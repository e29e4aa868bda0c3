// Switches messages in this browser on and off.
"use strict";
(() => {
  const box = document.getElementById("push");
  if (!box) return;
  const on = box.querySelector(".on");
  const off = box.querySelector(".off");
  const state = box.querySelector(".state");
  box.hidden = false;

  function show(name) {
    state.textContent = box.dataset[`state${name[0].toUpperCase()}${name.slice(1)}`];
    box.dataset.now = name;
    on.hidden = name !== "off" && name !== "failed";
    off.hidden = name !== "on";
  }

  function bytes(text) {
    const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
  }

  function browser() {
    const agent = navigator.userAgent;
    const name = ["Edg", "Firefox", "Chrome", "Safari"].find((one) => agent.includes(one)) || "";
    const system = ["Android", "iPhone", "iPad", "Windows", "Mac", "Linux"].find((one) => agent.includes(one)) || "";
    return [name === "Edg" ? "Edge" : name, system].filter(Boolean).join(", ");
  }

  function tell(method, body) {
    return fetch("/api/v1/me/push", { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  async function current() {
    const registration = await navigator.serviceWorker.getRegistration("/static/");
    return registration ? registration.pushManager.getSubscription() : null;
  }

  async function look() {
    if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return show("missing");
    if (Notification.permission === "denied") return show("denied");
    show((await current()) ? "on" : "off");
  }

  on.addEventListener("click", async () => {
    try {
      if ((await Notification.requestPermission()) !== "granted") return show("denied");
      await navigator.serviceWorker.register("/static/push-worker.js");
      const registration = await ready();
      const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(box.dataset.key) });
      const { endpoint, keys } = made.toJSON();
      const answer = await tell("POST", { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth }, browser: browser() });
      if (!answer.ok) { await made.unsubscribe(); throw new Error(String(answer.status)); }
      location.assign("/me");
    } catch {
      show("failed");
    }
  });

  off.addEventListener("click", async () => {
    try {
      const had = await current();
      if (had) { await tell("DELETE", { endpoint: had.endpoint }); await had.unsubscribe(); }
      location.assign("/me");
    } catch {
      show("failed");
    }
  });

  async function ready() {
    const registration = await navigator.serviceWorker.getRegistration("/static/");
    const worker = registration.installing || registration.waiting || registration.active;
    if (worker.state === "activated") return registration;
    await new Promise((done) => worker.addEventListener("statechange", () => { if (worker.state === "activated") done(); }));
    return registration;
  }

  look().catch(() => show("failed"));
})();
