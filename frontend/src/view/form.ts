/** Which picture suits a span: power line or energy bars, how wide the buckets, when single readings; pure. */

import type { Span } from "../time/period";
import type { Form } from "./address";

export const DAY_MS = 86_400_000;
export const MOST_BUCKETS = 1600;

export type Step =
  | "1s" | "5s" | "10s" | "30s"
  | "1min" | "5min" | "10min" | "15min" | "30min"
  | "1h" | "3h" | "6h"
  | "day" | "week" | "month" | "year";

/** Lengths in seconds; a month and a year by their mean. */
export const STEPS: readonly (readonly [Step, number])[] = [
  ["1s", 1], ["5s", 5], ["10s", 10], ["30s", 30],
  ["1min", 60], ["5min", 300], ["10min", 600], ["15min", 900], ["30min", 1800],
  ["1h", 3600], ["3h", 10_800], ["6h", 21_600],
  ["day", 86_400], ["week", 604_800], ["month", 2_629_746], ["year", 31_556_952],
];

/** True when the span is drawn as energy bars; the hours of daylight saving are forgiven. */
export function drawsBars(span: Span, form: Form): boolean {
  if (form === "power") return false;
  return form === "energy" || (span.to - span.from) / DAY_MS > 3.05;
}

/** Bars of a day to 60 days, of a month to 3 years, of a year beyond; quarter hours and hours where energy was chosen for less. */
export function barStep(span: Span): Step {
  const days = (span.to - span.from) / DAY_MS;
  if (days <= 1.1 / 24) return "1min";
  if (days <= 13 / 24) return "15min";
  if (days <= 3.05) return "1h";
  if (days <= 62.1) return "day";
  return days <= 3 * 366 + 0.1 ? "month" : "year";
}

/** Bars of months and years are compared by months, all others by days. */
export function isCoarse(step: Step): boolean {
  return step === "month" || step === "year";
}

/** About one bucket per two device pixels, at most 1,600. */
export function bucketsFor(widthPx: number, pixelRatio: number): number {
  return Math.max(60, Math.min(MOST_BUCKETS, Math.round((widthPx * pixelRatio) / 2)));
}

/** The step whose number of buckets is nearest to the one wanted, never more than 1,600, never shorter than `leastS`. */
export function lineStep(span: Span, buckets: number, leastS = 0): Step {
  const lengthS = Math.max(1, (span.to - span.from) / 1000);
  const wanted = lengthS / buckets;
  const fitting = STEPS.filter(([, seconds]) => lengthS / seconds <= MOST_BUCKETS && seconds >= leastS);
  const away = (seconds: number) => Math.abs(Math.log(seconds / wanted));
  const best = fitting.reduce((a, b) => (away(b[1]) < away(a[1]) ? b : a), fitting[0] ?? (["year", 31_556_952] as const));
  return best[0];
}

export function stepSeconds(step: Step): number {
  return STEPS.find(([name]) => name === step)?.[1] ?? 60;
}
