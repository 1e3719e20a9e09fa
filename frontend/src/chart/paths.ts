/** Outlines of lines and bands from columns; the pen and the two scales are handed in. */

import type { Column, Trace } from "./picture";
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
