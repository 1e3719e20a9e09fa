/** Outlines of lines, bands and bars from columns; the pen and the two scales are handed in. */

import type { Column, Picture, Trace } from "./picture";
import { isValue } from "./picture";

export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
}

export type Place = (value: number) => number;

/** Runs of indices without a gap: a missing value inside a run is passed over unless the silence is too long. */
export function runs(x: ArrayLike<number>, mean: Column, gapMs: number): number[][] {
  const found: number[][] = [];
  let run: number[] = [];
  let last = -Infinity;
  for (let i = 0; i < x.length; i++) {
    if (!isValue(mean[i])) continue;
    const at = x[i] as number;
    if (run.length > 0 && at - last > gapMs) {
      found.push(run);
      run = [];
    }
    run.push(i);
    last = at;
  }
  if (run.length > 0) found.push(run);
  return found;
}

/** A lone reading between two gaps is a short dash, so that it can be seen. */
export function drawLine(pen: Pen, trace: Trace, x: ArrayLike<number>, lines: readonly number[][], px: Place, py: Place): void {
  for (const run of lines) {
    let started = false;
    for (const i of run) {
      const atX = px(x[i] as number);
      const atY = py((trace.mean[i] as number) * trace.sign);
      if (started) pen.lineTo(atX, atY);
      else pen.moveTo(atX, atY);
      started = true;
      if (run.length === 1) pen.lineTo(atX + 1, atY);
    }
  }
}

/** The area between the line and zero. */
export function drawFill(pen: Pen, trace: Trace, x: ArrayLike<number>, lines: readonly number[][], px: Place, py: Place): void {
  const zero = py(0);
  for (const run of lines) {
    const first = run[0] as number;
    const last = run[run.length - 1] as number;
    pen.moveTo(px(x[first] as number), zero);
    for (const i of run) pen.lineTo(px(x[i] as number), py((trace.mean[i] as number) * trace.sign));
    pen.lineTo(px(x[last] as number), zero);
    pen.closePath();
  }
}

/** The area between the smallest and the greatest reading of each bucket. */
export function drawBand(pen: Pen, trace: Trace, x: ArrayLike<number>, lines: readonly number[][], px: Place, py: Place): void {
  const { low, high, sign } = trace;
  if (!low || !high) return;
  for (const run of lines) {
    run.forEach((i, place) => {
      const atY = py(((high[i] ?? trace.mean[i]) as number) * sign);
      if (place === 0) pen.moveTo(px(x[i] as number), atY);
      else pen.lineTo(px(x[i] as number), atY);
    });
    for (let place = run.length - 1; place >= 0; place--) {
      const i = run[place] as number;
      pen.lineTo(px(x[i] as number), py(((low[i] ?? trace.mean[i]) as number) * sign));
    }
    pen.closePath();
  }
}

export interface BarBox {
  readonly left: number;
  readonly width: number;
}

/** Where bar `slot` of `slots` stands inside the bucket from `start` to `end`; never thinner than a pixel. */
export function barBox(start: number, end: number, slot: number, slots: number): BarBox {
  const room = end - start;
  const margin = Math.min(room * 0.14, 14);
  const inner = Math.max(1, room - 2 * margin);
  const gap = slots > 1 ? Math.min(3, inner * 0.06) : 0;
  const width = Math.max(1, (inner - gap * (slots - 1)) / slots);
  return { left: start + margin + slot * (width + gap), width: Math.min(width, 72) };
}

/** Bars side by side, one slot for each trace. */
export function drawBars(pen: Pen, picture: Picture, slot: number, px: Place, py: Place, pixelRatio: number): void {
  const trace = picture.traces[slot];
  const { x, ends } = picture;
  if (!trace || !ends) return;
  const zero = py(0);
  for (let i = 0; i < x.length; i++) {
    const value = trace.mean[i];
    if (!isValue(value)) continue;
    const start = px(x[i] as number);
    const end = px(ends[i] as number);
    const box = barBox(start, end, slot, picture.traces.length);
    const spare = (end - start - 2 * Math.min((end - start) * 0.14, 14)) / picture.traces.length - box.width;
    const left = box.left + Math.max(0, spare / 2);
    roundedBar(pen, left, box.width, zero, py(value * trace.sign), Math.min(3 * pixelRatio, box.width / 2));
  }
}

function roundedBar(pen: Pen, left: number, width: number, zero: number, top: number, radius: number): void {
  const up = top < zero ? 1 : -1;
  const r = Math.min(radius, Math.abs(zero - top));
  const right = left + width;
  pen.moveTo(left, zero);
  pen.lineTo(left, top + up * r);
  for (const [cx, from] of [[left + r, Math.PI], [right - r, 1.5 * Math.PI]] as const) {
    for (let k = 1; k <= 4; k++) {
      const angle = from + (k / 4) * (Math.PI / 2);
      pen.lineTo(cx + r * Math.cos(angle), top + up * r + up * r * Math.sin(angle));
    }
  }
  pen.lineTo(right, zero);
  pen.closePath();
}
