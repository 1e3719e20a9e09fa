/** The value axis: which range, which ticks, which unit; pure. */

import type { Scaled } from "../format/number";
import { scaleOf } from "../format/number";
import type { Span } from "../time/period";
import type { Picture } from "./picture";
import { isValue } from "./picture";

export interface ValueAxis {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  readonly scaled: Scaled;
  /** Decimals of the bare numbers at the ticks. */
  readonly tickDecimals: number;
}

/** Smallest and greatest value in view; null when nothing is. */
export function extremes(picture: Picture, span: Span): readonly [number, number] | null {
  let min = Infinity;
  let max = -Infinity;
  const { x, ends } = picture;
  const take = (value: number | null | undefined, sign: number) => {
    if (!isValue(value)) return;
    const drawn = value * sign;
    if (drawn < min) min = drawn;
    if (drawn > max) max = drawn;
  };
  for (let i = 0; i < x.length; i++) {
    if ((x[i] as number) > span.to || (ends ? (ends[i] as number) : (x[i] as number)) < span.from) continue;
    for (const { mean, low, high, sign } of picture.traces) {
      take(mean[i], sign);
      take(low?.[i], sign);
      take(high?.[i], sign);
    }
  }
  return max < min ? null : [min, max];
}

/** 1, 2, 2.5 or 5 times a power of ten, at least `rough`. */
export function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  for (const factor of [1, 2, 2.5, 5]) if (factor * power >= rough * 0.999999) return factor * power;
  return 10 * power;
}

/** An axis with about one tick per 48 pixels; zero is held in view where `zeroed`. */
export function valueAxis(range: readonly [number, number] | null, unit: string, zeroed: boolean, heightPx: number): ValueAxis {
  let [low, high] = range ?? [0, zeroed ? 1 : 0];
  if (zeroed) {
    low = Math.min(0, low);
    high = Math.max(0, high);
  }
  if (high - low < 1e-9) {
    const room = zeroed ? 1 : Math.max(0.5, Math.abs(high) * 0.01);
    high += room;
    if (!zeroed) low -= room;
  }
  const step = niceStep((high - low) / Math.max(2, Math.floor(heightPx / 48)));
  const room = (high - low) * 0.04;
  const min = Math.floor((low - (low < 0 || !zeroed ? room : 0)) / step + 1e-9) * step;
  const max = Math.ceil((high + (high > 0 || !zeroed ? room : 0)) / step - 1e-9) * step;
  const ticks: number[] = [];
  for (let i = Math.round(min / step); i * step <= max + step * 1e-6; i++) ticks.push(i * step);
  const scaled = scaleOf(Math.max(Math.abs(low), Math.abs(high)), unit);
  return { min, max, ticks, scaled, tickDecimals: decimalsOf(step / scaled.divisor) };
}

function decimalsOf(step: number): number {
  for (let decimals = 0; decimals < 6; decimals++) {
    const shifted = step * 10 ** decimals;
    if (Math.abs(shifted - Math.round(shifted)) < 1e-6) return decimals;
  }
  return 6;
}

/** Keeps an axis that still fits, so that a live picture does not jump at every reading. */
export function calmer(before: ValueAxis | null, wanted: ValueAxis): ValueAxis {
  if (!before || before.scaled.symbol.slice(-1) !== wanted.scaled.symbol.slice(-1)) return wanted;
  const fits = wanted.max <= before.max && wanted.min >= before.min;
  const wasteful = wanted.max - wanted.min < (before.max - before.min) * 0.45;
  return fits && !wasteful ? before : wanted;
}
