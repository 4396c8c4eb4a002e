// Keeps the page of a display, so that it comes back after a power cut although the network does not.
"use strict";
const KEPT = "signage";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(event.data))));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  // News is never taken from what is kept: the page has to know that it hears nothing.
  if (request.method !== "GET" || new URL(request.url).pathname.endsWith("/slides")) return;
  event.respondWith(fetch(request).catch(async () => (await caches.match(request, { ignoreSearch: request.mode === "navigate" })) || Response.error()));
});
