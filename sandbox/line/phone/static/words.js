// The words of the page in its language, handed over by the server.

const WORDS = JSON.parse(document.getElementById("words").textContent);

export const lang = document.documentElement.lang;

/** The word for `key`, with `{name}` places filled from `values`. A missing word shows its key. */
export function word(key, values = {}) {
  return (WORDS[key] ?? key).replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

/** The words of every key that starts with a state of a user: friend → stateFriend. */
export function stateWord(state) {
  return word(`state${state[0].toUpperCase()}${state.slice(1)}`);
}
