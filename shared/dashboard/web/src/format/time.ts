// Instants as Unix milliseconds with fractions, and the ways they are written. Always UTC.

const FORM = /^((?:[+-]\d\d)?\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?:(:\d\d)(\.\d+)?)? ?(Z|[+-]\d\d:\d\d)?)?$/i;

/**
 * Reads RFC 3339, and what people leave out of it: the seconds, the time, the zone. Without a zone it is UTC, never the
 * browser's own time; any other form is NaN. The fraction is kept below the millisecond, which `Date` would cut off.
 */
export function parseTime(text: string): number {
  const [form, day, minute = "00:00", second = ":00", fraction = "0", zone = "Z"] = FORM.exec(text) ?? [];
  if (form === undefined) return Number.NaN;
  return Date.parse(`${day}T${minute}${second}${zone.toUpperCase()}`) + Number(fraction) * 1000;
}

/** `12:31:05Z` */
export function clockTime(ms: number): string {
  return `${iso(ms).slice(11, 19)}Z`;
}

/** `12:31:05.250Z` */
export function preciseClockTime(ms: number): string {
  return iso(ms).slice(11);
}

/** `2026-11-22 12:31:05Z` */
export function dateAndTime(ms: number): string {
  return `${iso(ms).slice(0, 10)} ${clockTime(ms)}`;
}

/** `326`, the day operators count passes by. */
export function dayOfYear(ms: number): string {
  const start = Date.UTC(new Date(ms).getUTCFullYear(), 0, 1);
  return String(Math.floor((ms - start) / 86_400_000) + 1).padStart(3, "0");
}

/** `0.4 s`, `12 s`, `14 min`, `3 h 05 min`, `2 d 4 h`: never more than two units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  const days = Math.floor(hours / 24);
  return days < 100 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/** `12 s` and longer without tenths, for text that should not flicker. */
export function wholeDuration(ms: number): string {
  return ms < 9_950 ? `${Math.max(0, Math.floor(ms / 1000))} s` : duration(ms);
}

/** `3.2 s ago`; a spacecraft's clock may run ahead of the server's. */
export function age(ms: number): string {
  return ms < -1000 ? `${duration(-ms)} ahead` : `${duration(ms)} ago`;
}

function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "----------T--:--:--.---Z" : date.toISOString();
}
