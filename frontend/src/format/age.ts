/** How old something is, in words of the language: relative up to an hour, then the clock or the date. */

import { NARROW } from "./number";

const relative = new Map<string, Intl.RelativeTimeFormat>();
const absolute = new Map<string, Intl.DateTimeFormat>();

function relativeFormat(locale: string): Intl.RelativeTimeFormat {
  let found = relative.get(locale);
  if (!found) {
    found = new Intl.RelativeTimeFormat(locale, { numeric: "always", style: "short" });
    relative.set(locale, found);
  }
  return found;
}

function absoluteFormat(locale: string, zone: string, withDate: boolean): Intl.DateTimeFormat {
  const key = `${locale} ${zone} ${withDate}`;
  let found = absolute.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, {
      timeZone: zone,
      ...(withDate ? { day: "numeric", month: "short", year: "numeric" } : {}),
      hour: "2-digit",
      minute: "2-digit",
    });
    absolute.set(key, found);
  }
  return found;
}

/** `3 min. ago`, `14:02`, `16 Nov 2026, 14:02`. */
export function age(thenMs: number, nowMs: number, locale: string, zone: string): string {
  const seconds = Math.max(0, Math.round((nowMs - thenMs) / 1000));
  if (seconds < 60) return relativeFormat(locale).format(-seconds, "second");
  if (seconds < 3600) return relativeFormat(locale).format(-Math.floor(seconds / 60), "minute");
  return absoluteFormat(locale, zone, seconds >= 20 * 3600).format(thenMs);
}

/** The exact instant, for tooltips: date, clock with seconds, and the zone by name. */
export function instant(ms: number, locale: string, zone: string): string {
  return new Intl.DateTimeFormat(locale, {
    timeZone: zone,
    dateStyle: "medium",
    timeStyle: "long",
  }).format(ms);
}

/** A length of time in the largest fitting unit: `30 s`, `15 min`, `6 h`. */
export function span(seconds: number): string {
  if (seconds < 60) return `${seconds}${NARROW}s`;
  if (seconds < 3600) return `${seconds / 60}${NARROW}min`;
  return `${seconds / 3600}${NARROW}h`;
}
