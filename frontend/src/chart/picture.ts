/** What a chart is asked to draw, as plain columns; knows neither the canvas nor the server. */

import type { Span } from "../time/period";
import type { Zone } from "../time/zone";
import type { Pen, Place } from "./paths";
import type { Tick } from "./ticks";

/** One value per x; null or NaN where there is none. */
export type Column = ArrayLike<number | null>;

export type Pattern = "solid" | "hatch" | "dots";

/** Colour by token, and what tells series of one colour apart. */
export interface Look {
  readonly token: string;
  readonly pattern: Pattern;
}

export interface Trace {
  readonly key: string;
  readonly name: string;
  readonly look: Look;
  readonly mean: Column;
  /** Smallest and greatest reading of each bucket; null for single readings and bars. */
  readonly low: Column | null;
  readonly high: Column | null;
  /** Tinted down to zero. */
  readonly fill: boolean;
  /** Set for a compared period: dashed, never filled; its name is the word for it. */
  readonly compare: "previous" | "year" | null;
  /** −1 draws below zero: export and charge. */
  readonly sign: 1 | -1;
}

/** The way to draw bars; lines come without, so that a page of lines does not load it. */
export interface BarArt {
  draw(pen: Pen, picture: Picture, slot: number, px: Place, py: Place, pixelRatio: number): void;
  ink(look: Look, pixelRatio: number): string | CanvasPattern;
  ticks(starts: ArrayLike<number>, ends: ArrayLike<number>, widthPx: number, zone: Zone, locale: string): Tick[];
}

export interface Picture {
  /** Null: a line. */
  readonly bars: BarArt | null;
  /** Milliseconds: the reading or the middle of the bucket; for bars its start. */
  readonly x: ArrayLike<number>;
  /** End of each bar; null for lines. */
  readonly ends: ArrayLike<number> | null;
  readonly traces: readonly Trace[];
  /** Base unit of every value: W, Wh, °C. */
  readonly unit: string;
  /** Power and energy always show zero. */
  readonly zeroed: boolean;
  /** A longer silence is a gap of the line. */
  readonly gapMs: number;
  /** Where nothing was read: hatched on the time axis. */
  readonly missing: readonly Span[];
  /** Single readings are marked when they stand far enough apart. */
  readonly dots: boolean;
  /** The newest reading of each series is marked: live pictures. */
  readonly heads: boolean;
}

export const EMPTY_PICTURE: Picture = {
  bars: null,
  x: [],
  ends: null,
  traces: [],
  unit: "W",
  zeroed: true,
  gapMs: Infinity,
  missing: [],
  dots: false,
  heads: false,
};

/** Index of the x nearest to `ms`, or of the bar that holds it; −1 when there is none. */
export function nearest(picture: Pick<Picture, "x" | "ends">, ms: number): number {
  const { x, ends } = picture;
  if (x.length === 0) return -1;
  let low = 0;
  let high = x.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((x[middle] as number) <= ms) low = middle;
    else high = middle - 1;
  }
  if (ends) return low;
  const next = x[low + 1];
  return next !== undefined && next - ms < ms - (x[low] as number) ? low + 1 : low;
}

/** The nearest index at which any trace has a value, looking `reach` steps to both sides; −1 when none has. */
export function nearestFilled(picture: Picture, ms: number, reach = 40): number {
  const start = nearest(picture, ms);
  if (start < 0) return -1;
  const filled = (i: number) => picture.traces.some((trace) => isValue(trace.mean[i]));
  for (let away = 0; away <= reach; away++) {
    if (start - away >= 0 && filled(start - away)) return start - away;
    if (start + away < picture.x.length && filled(start + away)) return start + away;
  }
  return -1;
}

export function isValue(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && !Number.isNaN(value);
}

/** The instant that index stands for on the axis: the middle of a bar. */
export function middleOf(picture: Pick<Picture, "x" | "ends">, index: number): number {
  const start = picture.x[index] as number;
  return picture.ends ? (start + (picture.ends[index] as number)) / 2 : start;
}
