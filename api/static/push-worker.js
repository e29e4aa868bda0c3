// Shows a message of the platform also when no page is open. It comes encrypted; a lock screen sees the title alone.
"use strict";
function own(url) {
  const whole = new URL(url || "/", self.location.origin);
  return whole.origin === self.location.origin ? whole : new URL("/", self.location.origin);
}

self.addEventListener("push", (event) => {
  const said = event.data ? event.data.json() : {};
  const to = own(said.url);
  const shown = self.registration.showNotification(said.title || "Yiju", {
    tag: said.tag,
    icon: "/static/yiju.svg",
    requireInteraction: Boolean(said.urgent),
    data: { url: to.href },
  });
  // A message that can be answered has a ticket: with it the platform hears that this device has it.
  const arrived = to.pathname.startsWith("/a/") ? fetch(`${to.pathname}/arrived`, { method: "POST" }).catch(() => {}) : null;
  event.waitUntil(Promise.all([shown, arrived]));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(own(event.notification.data && event.notification.data.url).href));
});
