/** Zooming and panning as functions from window to window; the page turns the result into an address. */

import type { Day, Period, Span } from "../time/period";
import { PERIODS, dayOf, firstDay, shifted, startOfDay } from "../time/period";
import type { Zone } from "../time/zone";
import { SHORTEST_MS } from "./address";
import type { Step } from "./form";

/** One press of a key or button. */
export const FACTOR = 2.5;

/** `span` made `factor` times smaller (or larger, below 1) with `centre` kept where it is. */
export function scaled(span: Span, factor: number, centre: number): Span {
  const length = span.to - span.from;
  const wanted = Math.max(SHORTEST_MS, length / factor);
  const share = (centre - span.from) / length;
  const from = Math.round(centre - share * wanted);
  return { from, to: from + Math.round(wanted) };
}

export function panned(span: Span, share: number): Span {
  const by = Math.round((span.to - span.from) * share);
  return { from: span.from + by, to: span.to + by };
}

/** A window no larger than `limit` and inside it. */
export function held(span: Span, limit: Span): Span {
  const length = Math.min(span.to - span.from, limit.to - limit.from);
  const from = Math.min(Math.max(span.from, limit.from), limit.to - length);
  return { from, to: from + length };
}

/** Edges moved outward to the buckets they cut, so that no bar is drawn in part. */
export function snapped(span: Span, edges: readonly number[]): Span {
  let from = span.from;
  let to = span.to;
  for (const edge of edges) if (edge <= span.from) from = edge;
  for (let i = edges.length - 1; i >= 0; i--) {
    const edge = edges[i] as number;
    if (edge >= span.to) to = edge;
  }
  return { from, to };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Edges moved outward to whole bars of that step in the local calendar, so that sums are of what is shown. */
export function aligned(span: Span, step: Step, zone: Zone): Span {
  const floor = (at: number, later: number) => {
    if (step === "day" || step === "month" || step === "year") {
      const first = firstDay(step, dayOf(at, zone), 1);
      return startOfDay(later ? shifted(step, first, 1) : first, zone);
    }
    const width = step === "1h" ? HOUR_MS : step === "15min" ? 15 * MINUTE_MS : MINUTE_MS;
    const offset = zone.offset(at);
    return (Math.floor((at + offset) / width) + later) * width - offset;
  };
  const from = floor(span.from, 0);
  return { from, to: floor(span.to, 0) === span.to ? span.to : floor(span.to, 1) };
}

const LENGTHS: readonly (readonly [Period, number])[] = [
  ["day", 25 * HOUR_MS],
  ["week", (7 * 24 + 1) * HOUR_MS],
  ["month", (31 * 24 + 1) * HOUR_MS],
  ["year", (366 * 24 + 1) * HOUR_MS],
];

/** The shortest period that a window of that length fits in: what it is named after and compared with. */
export function periodOf(span: Span): Period {
  return LENGTHS.find(([, length]) => span.to - span.from <= length)?.[0] ?? "decade";
}

/** Period and day of a window, and the window itself unless it is all of that period. */
export function named(span: Span, zone: Zone, weekStart: number): { period: Period; day: Day; window: Span | null } {
  const period = periodOf(span);
  const anchor = period === "decade" ? span.to - 1 : (span.from + span.to) / 2;
  const day = firstDay(period, dayOf(anchor, zone), weekStart);
  const whole = { from: startOfDay(day, zone), to: startOfDay(shifted(period, day, 1), zone) };
  const all = span.from === whole.from && span.to === whole.to;
  return { period, day, window: all ? null : span };
}

/** The next longer period, or null at ten years. */
export function longer(period: Period): Period | null {
  return PERIODS[PERIODS.indexOf(period) + 1] ?? null;
}
