// Times as a resident in Japan sees them, wherever the browser stands.
import { lang } from "./words.js";

const locale = lang === "en" ? "en-GB" : "ja-JP";
const inJapan = (options) => new Intl.DateTimeFormat(locale, { timeZone: "Asia/Tokyo", ...options });

const time = inJapan({ hour: "2-digit", minute: "2-digit" });
const day = inJapan({ month: "long", day: "numeric", weekday: "short" });
const wholeDay = inJapan({ year: "numeric", month: "2-digit", day: "2-digit" });

export const timeOf = (at) => time.format(at);
export const dayOf = (at) => day.format(at);
/** The same for all times of one day in Japan. */
export const dayKey = (at) => wholeDay.format(at);
