// The control API of the sandbox: everything the page asks for or does goes through here.

/** The sandbox refused; `message` is its reason. */
export class Refused extends Error {}

export const getUsers = (query, limit = 50) =>
  request("GET", `/_sandbox/users?${new URLSearchParams({ limit, q: query })}`);

export const createUser = (userId, displayName, language) =>
  request("POST", "/_sandbox/users", {
    userIds: [userId],
    displayNames: [displayName],
    language,
    state: "none",
  });

export const changeUser = (userId, changes) => request("PATCH", `/_sandbox/users/${encodeURIComponent(userId)}`, changes);

export const getState = (userId) => request("GET", `/_sandbox/phone/${encodeURIComponent(userId)}/state.json`);

export const act = (userId, type, details = {}) =>
  request("POST", `/_sandbox/users/${encodeURIComponent(userId)}/actions`, { type, ...details });

async function request(method, address, body) {
  const answer = await fetch(address, {
    method,
    // A tap may open another page at once; the request still has to arrive.
    keepalive: method === "POST",
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(content.message ?? `HTTP ${answer.status}`);
  return content;
}

/**
 * Listen to the events of several phones: `onReady()` each time the stream stands (state may have changed
 * meanwhile), `onEvent(userId, name, data)`, `onLost()` while the sandbox does not answer.
 */
export function listen(userIds, { onReady, onEvent, onLost }) {
  const stream = new EventSource(`/_sandbox/phones/events?${new URLSearchParams({ ids: userIds.join(",") })}`);
  stream.addEventListener("ready", onReady);
  stream.addEventListener("phone", (event) => {
    const { userId, event: name, data } = JSON.parse(event.data);
    onEvent(userId, name, data);
  });
  stream.addEventListener("error", onLost);
  return stream;
}
