// Says that the page stands before somebody: whatever previews links does not run this.
"use strict";
(() => {
  const box = document.querySelector("[data-seen]");
  if (box && document.visibilityState === "visible") fetch(box.dataset.seen, { method: "POST" }).catch(() => {});
})();
