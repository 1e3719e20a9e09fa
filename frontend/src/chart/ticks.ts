/** Marks of a short time axis, seconds to half hours, on the local clock; longer axes are the calendar's. */

import type { Span } from "../time/period";
import type { Zone } from "../time/zone";

export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** The ticks of a span that is `widthPx` wide. */
export type TickMaker = (span: Span, widthPx: number, zone: Zone, locale: string) => Tick[];

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const STEPS = [1, 2, 5, 10, 15, 30].flatMap((n) => [n * SECOND, n * MINUTE]).sort((a, b) => a - b);
const ROOM_PX = 72;

/** Time between two ticks that stand at least 72 pixels apart. */
export function leastApart(span: Span, widthPx: number): number {
  return ((span.to - span.from) * ROOM_PX) / Math.max(1, widthPx);
}

/** A step of seconds or minutes that is long enough; null when none is. */
export function shortStep(leastMs: number): number | null {
  return STEPS.find((step) => step >= leastMs) ?? null;
}

/** Instants on the local clock, `step` apart; the offset of the beginning holds for all of a short axis. */
export function evenTicks(span: Span, step: number, zone: Zone): number[] {
  const offset = zone.offset(span.from);
  const at: number[] = [];
  for (let t = Math.ceil((span.from + offset) / step) * step - offset; t <= span.to; t += step) at.push(t);
  return at;
}

const formats = new Map<string, Intl.DateTimeFormat>();

export function dateFormat(locale: string, zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${zone.name} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone.name });
    formats.set(key, found);
  }
  return found;
}

export function clockLabel(at: number, seconds: boolean, zone: Zone, locale: string): string {
  return dateFormat(locale, zone, { hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}) }).format(at);
}

/** Ticks of a span of up to some hours. */
export const shortTicks: TickMaker = (span, widthPx, zone, locale) => {
  const step = shortStep(leastApart(span, widthPx)) ?? 30 * MINUTE;
  return evenTicks(span, step, zone).map((at) => ({ at, label: clockLabel(at, step < MINUTE, zone, locale) }));
};
