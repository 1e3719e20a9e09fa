/** How bars are drawn: their boxes, their fill and the words under them; a picture of bars brings this along. */

import type { Zone } from "../time/zone";
import { barInk } from "./ink";
import type { Pen, Place } from "./paths";
import type { BarArt, Picture } from "./picture";
import { isValue } from "./picture";
import type { Tick } from "./ticks";
import { dateFormat } from "./ticks";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;
const WIDEST_PX = 40;

export interface BarBox {
  readonly left: number;
  readonly width: number;
}

/** Where bar `slot` of `slots` stands between `start` and `end`: the group in the middle, no bar wider than `widest`. */
export function barBox(start: number, end: number, slot: number, slots: number, widest: number): BarBox {
  const room = end - start;
  const inner = Math.max(1, room * 0.72);
  const gap = slots > 1 ? Math.min(widest * 0.08, inner * 0.05) : 0;
  const width = Math.min(widest, Math.max(1, (inner - gap * (slots - 1)) / slots));
  const group = slots * width + (slots - 1) * gap;
  return { left: start + (room - group) / 2 + slot * (width + gap), width };
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
    const box = barBox(px(x[i] as number), px(ends[i] as number), slot, picture.traces.length, WIDEST_PX * pixelRatio);
    roundedBar(pen, box.left, box.width, zero, py(value * trace.sign), Math.min(3 * pixelRatio, box.width / 2));
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

/** Words under bars: each, or every second, third … bar, so that they stand at least `roomPx` apart. */
export function barTicks(starts: ArrayLike<number>, ends: ArrayLike<number>, widthPx: number, zone: Zone, locale: string): Tick[] {
  const bars = starts.length;
  if (bars === 0) return [];
  const length = (ends[bars - 1] as number) - (starts[bars - 1] as number);
  const unit = length > 300 * DAY ? "year" : length > 26 * DAY ? "month" : length > 20 * HOUR ? "day" : "minute";
  const few = unit === "day" && bars <= 8;
  const roomPx = unit === "minute" ? 60 : unit === "day" && !few ? 30 : 44;
  const every = niceEvery(Math.ceil((bars * roomPx) / Math.max(1, widthPx)), unit);
  const ticks: Tick[] = [];
  for (let i = 0; i < bars; i++) {
    const start = starts[i] as number;
    const local = zone.local(start);
    const place = unit === "minute" ? local.hour * 60 + local.minute : i;
    const step = unit === "minute" ? (every * length) / MINUTE : every;
    if (place % Math.max(1, Math.round(step)) !== 0) continue;
    const at = unit === "minute" ? start : (start + (ends[i] as number)) / 2;
    ticks.push({ at, label: barLabel(start, unit, few, local, i === 0, zone, locale) });
  }
  return ticks;
}

function niceEvery(least: number, unit: string): number {
  const steps = unit === "minute" ? [1, 2, 3, 4, 6, 8, 12, 16, 24, 48] : unit === "day" ? [1, 2, 5, 7, 10, 14, 30] : [1, 2, 3, 6, 12];
  return steps.find((step) => step >= least) ?? least;
}

function barLabel(
  start: number,
  unit: string,
  few: boolean,
  local: { day: number; month: number },
  first: boolean,
  zone: Zone,
  locale: string,
): string {
  const say = (options: Intl.DateTimeFormatOptions) => dateFormat(locale, zone, options).format(start);
  if (unit === "year") return say({ year: "numeric" });
  if (unit === "month") return local.month === 1 ? say({ year: "numeric" }) : say({ month: "short" });
  if (unit === "minute") return say({ hour: "2-digit", minute: "2-digit" });
  if (few) return say({ weekday: "short", day: "numeric" });
  return first || local.day === 1 ? say({ day: "numeric", month: "short" }) : String(local.day);
}

/** Handed to the plot with a picture of bars. */
export const BARS: BarArt = { draw: drawBars, ink: barInk, ticks: barTicks };
