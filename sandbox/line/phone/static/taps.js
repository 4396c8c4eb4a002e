// What happens when the resident taps: the tap is reported to the sandbox, the phone does its own part.
import { Refused } from "./api.js";
import { pickDateTime } from "./picker.js";
import { isLiff, isSafe, open } from "./links.js";
import { word } from "./words.js";

const NOT_PLAYED = new Set(["camera", "cameraRoll", "location"]);
const PICKERS = new Set(["datetimepicker", ...NOT_PLAYED]);

/**
 * The taps of one phone. `phone` offers `send(type, details)`, `say(text)`, `fillIn(text)`, `focusInput()`,
 * `toggleMenu(open)` and `replyTaken()`.
 */
export function tapsOf(phone) {
  return async (action, kind, event) => {
    try {
      const done = await perform(phone, action, kind, event);
      // LINE keeps the quick replies after camera, location and date pickers.
      if (done && kind === "tapQuickReply" && !PICKERS.has(action.type)) phone.replyTaken();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      phone.say(word("refused", { message: error.message }));
    }
  };
}

async function perform(phone, action, kind, event) {
  if (NOT_PLAYED.has(action.type)) return phone.say(word("notPlayed", { type: action.type }));
  if (action.type === "uri") return openAddress(phone, action, kind, event);
  if (action.type === "clipboard") return copy(phone, action.clipboardText);
  if (action.type === "datetimepicker") return pick(phone, action, kind);
  await phone.send(kind, { action });
  followInputOption(phone, action);
  return true;
}

async function openAddress(phone, action, kind, event) {
  const uri = action.uri;
  const isLink = event.currentTarget instanceof HTMLAnchorElement;
  if (isLiff(uri)) {
    event.preventDefault();
    const { openUri } = await phone.send(kind, { action });
    return open(openUri ?? uri);
  }
  // Opened by the tap itself: a browser blocks new tabs that open later.
  if (!isLink && !open(uri)) phone.say(word("notOpened", { uri }));
  const { openUri } = await phone.send(kind, { action });
  if (openUri && openUri !== uri && !isSafe(uri)) open(openUri);
  return true;
}

async function copy(phone, text) {
  try {
    await navigator.clipboard.writeText(text ?? "");
    phone.say(word("copied"));
  } catch {
    phone.say(word("copyFailed"));
  }
  return true;
}

async function pick(phone, action, kind) {
  const params = await pickDateTime(action);
  if (params) await phone.send(kind, { action, params });
  return params !== null;
}

function followInputOption(phone, action) {
  if (action.inputOption === "openRichMenu") phone.toggleMenu(true);
  if (action.inputOption === "closeRichMenu") phone.toggleMenu(false);
  if (action.inputOption === "openKeyboard") phone.fillIn(action.fillInText ?? "");
}
