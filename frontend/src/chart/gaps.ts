/** Where a series was silent: how long a silence breaks a line, and what is hatched as missing; pure. */

import type { Span } from "../time/period";

/** Silence after which a line breaks: three intervals of the series, and at least one and a half buckets. */
export function gapOf(times: ArrayLike<number>, filled: (i: number) => boolean, stepMs: number): number {
  const apart: number[] = [];
  let last = NaN;
  for (let i = 0; i < times.length; i++) {
    if (!filled(i)) continue;
    const at = times[i] as number;
    if (!Number.isNaN(last)) apart.push(at - last);
    last = at;
  }
  if (apart.length === 0) return Math.max(stepMs * 1.5, 180_000);
  apart.sort((a, b) => a - b);
  const usual = apart[Math.floor(apart.length * 0.9)] as number;
  return usual <= stepMs * 1.01 && stepMs > 0 ? stepMs * 1.5 : Math.max(usual * 3, stepMs * 1.5);
}

/** Where no trace has a value for longer than `gapMs`, between `from` and `to`. */
export function missingSpans(times: ArrayLike<number>, filled: (i: number) => boolean, gapMs: number, from: number, to: number): Span[] {
  const found: Span[] = [];
  let last = from;
  for (let i = 0; i < times.length; i++) {
    const at = times[i] as number;
    if (!filled(i) || at < from) continue;
    if (at > to) break;
    if (at - last > gapMs) found.push({ from: last, to: at });
    last = at;
  }
  if (to - last > gapMs) found.push({ from: last, to });
  return found;
}
