/** The figures of a picture: totals, peak, mean, difference to a compared period; pure. */

import type { ApiPoint, SeriesAnswer } from "../api/types";
import { counterpart } from "../time/period";
import type { Zone } from "../time/zone";
import type { Compared } from "./build";
import { stepSeconds } from "./form";
import type { Step } from "./form";

export interface Summary {
  /** Wh or another amount over the whole span; null when nothing was read. */
  readonly amount: number | null;
  readonly amountUnit: string;
  readonly readings: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Start of the bucket that holds the greatest reading. */
  readonly maxAt: number | null;
}

export function summaryOf(answer: SeriesAnswer, point: number): Summary {
  const column = answer.points.find((one) => one.id === point);
  const none = { amount: null, amountUnit: "Wh", readings: 0, min: null, max: null, mean: null, maxAt: null };
  if (!column) return none;
  let [min, max, maxAt, weighted, readings] = [Infinity, -Infinity, null as number | null, 0, 0];
  answer.start.forEach((at, i) => {
    const [low, high, mean, count] = [column.min[i], column.max[i], column.mean[i], column.count[i]];
    if (typeof low === "number" && low < min) min = low;
    if (typeof high === "number" && high > max) [max, maxAt] = [high, at];
    if (typeof mean === "number" && count) {
      weighted += mean * count;
      readings += count;
    }
  });
  return {
    amount: column.amount_total,
    amountUnit: column.amount_unit ?? "",
    readings: column.readings,
    min: max < min ? null : min,
    max: max < min ? null : max,
    mean: readings > 0 ? weighted / readings : null,
    maxAt,
  };
}

export interface Difference {
  readonly now: number;
  readonly before: number;
  /** Fewer buckets than the picture has: the period is not over, or one side lacks some. */
  readonly partial: boolean;
}

/** Amounts of the buckets that are over and known on both sides; null when fewer than nine tenths of them are. */
export function differenceOf(answer: SeriesAnswer, { answer: before, shift }: Compared, point: ApiPoint, now: number, zone: Zone): Difference | null {
  const mine = answer.points.find((one) => one.id === point.id)?.amount;
  const theirs = before.points.find((one) => one.id === point.id)?.amount;
  if (!mine || !theirs) return null;
  const place = new Map(before.start.map((at, i) => [at, i]));
  let [sum, sumBefore, both, over] = [0, 0, 0, 0];
  answer.start.forEach((at, i) => {
    const end = answer.start[i + 1] ?? answer.end;
    if (end > now) return;
    over++;
    const found = place.get(counterpart(at, shift, zone));
    const [a, b] = [mine[i], found === undefined ? null : theirs[found]];
    if (typeof a !== "number" || typeof b !== "number") return;
    sum += a;
    sumBefore += b;
    both++;
  });
  if (over === 0 || both < over * 0.9) return null;
  return { now: sum, before: sumBefore, partial: both < answer.start.length };
}

/** Readings per millisecond, learned from an answer; 0 when it has none. */
export function rateOf(answer: SeriesAnswer, point: number): number {
  const column = answer.points.find((one) => one.id === point);
  if (!column || column.readings === 0) return 0;
  const filled = column.count.flatMap((count, i) => (count ? [i] : []));
  const first = answer.start[filled[0] ?? 0] as number;
  const last = (answer.start[filled[filled.length - 1] ?? 0] as number) + stepSeconds(answer.step as Step) * 1000;
  return column.readings / Math.max(1000, last - first);
}
