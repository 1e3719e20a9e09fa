/** Paints the parts of a picture on a canvas, in device pixels: axes, areas, lines, bars, marks; chooses no range and no tick. */

import type { Span } from "../time/period";
import { dashOf, ink, missingInk } from "./ink";
import { drawBand, drawFill, drawLine, type Place } from "./paths";
import type { Picture, Trace } from "./picture";
import { isValue } from "./picture";
import type { Tick } from "./ticks";

/** Canvas and scales of one painting. */
export interface Sheet {
  readonly pen: CanvasRenderingContext2D;
  /** Device pixels in a CSS pixel. */
  readonly ratio: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Device pixel of an instant and of a value. */
  readonly px: Place;
  readonly py: Place;
}

const LINE_WIDTH = 1.75;
/** Between an axis and its words. */
const GAP = 8;

export function rootPx(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}

function words(sheet: Sheet, align: CanvasTextAlign, baseline: CanvasTextBaseline): void {
  const { pen, ratio } = sheet;
  pen.font = `${Math.round(0.75 * rootPx() * ratio)}px system-ui, sans-serif`;
  pen.fillStyle = ink("--muted");
  pen.textAlign = align;
  pen.textBaseline = baseline;
}

function straight(sheet: Sheet, fromX: number, fromY: number, toX: number, toY: number, token: string, dash: readonly number[] = []): void {
  const { pen, ratio } = sheet;
  pen.strokeStyle = ink(token);
  pen.lineWidth = ratio;
  pen.setLineDash(dash.map((length) => length * ratio));
  pen.beginPath();
  pen.moveTo(fromX, fromY);
  pen.lineTo(toX, toY);
  pen.stroke();
  pen.setLineDash([]);
}

const crisp = (at: number) => Math.round(at) + 0.5;

/** Lines across the picture at the ticks, their words left of it; zero stands out. */
export function paintValueAxis(sheet: Sheet, ticks: readonly number[], word: (tick: number) => string): void {
  const { pen, ratio, left, width, py } = sheet;
  words(sheet, "right", "middle");
  for (const tick of ticks) {
    const y = crisp(py(tick));
    straight(sheet, left, y, left + width, y, Math.abs(tick) < 1e-9 ? "--control" : "--border");
    pen.fillText(word(tick), left - GAP * ratio, y);
  }
}

/** Words below the picture; those that would be cut at an edge of the canvas are left out. */
export function paintTimeAxis(sheet: Sheet, ticks: readonly Tick[]): void {
  const { pen, ratio, left, top, width, height, px } = sheet;
  words(sheet, "center", "top");
  for (const { at, label } of ticks) {
    const half = label.length * 3.2 * ratio;
    const x = px(at);
    if (x < left || x > left + width || x - half < 0 || x + half > left + width + 12 * ratio) continue;
    pen.fillText(label, x, top + height + GAP * ratio);
  }
}

/** A hatched strip on the time axis where nothing was read. */
export function paintMissing(sheet: Sheet, missing: readonly Span[]): void {
  const { pen, ratio, left, top, width, height, px } = sheet;
  for (const { from, to } of missing) {
    const start = Math.max(left, px(from));
    const end = Math.min(left + width, px(to));
    if (end - start < 1) continue;
    pen.fillStyle = missingInk(ratio);
    pen.fillRect(start, top + height, end - start, 5 * ratio);
  }
}

/** Keeps what `paint` draws inside the picture, with some room for thick lines and dots. */
export function inside(sheet: Sheet, room: number, paint: () => void): void {
  const { pen, ratio, left, top, width, height } = sheet;
  const more = room * ratio;
  pen.save();
  pen.beginPath();
  pen.rect(left - more, top - more, width + 2 * more, height + 2 * more);
  pen.clip();
  paint();
  pen.restore();
}

/** One series: its bars, or its band or tint and the line above it. */
export function paintTrace(sheet: Sheet, picture: Picture, slot: number, lines: readonly number[][]): void {
  const { pen, ratio, px, py } = sheet;
  const trace = picture.traces[slot] as Trace;
  const { look, compare } = trace;
  const { bars } = picture;
  if (!bars && !compare && (trace.low || trace.fill)) {
    const area = new Path2D();
    (trace.low ? drawBand : drawFill)(area, trace, picture.x, lines, px, py);
    pen.fillStyle = ink(look.token, trace.low ? 0.22 : 0.17);
    pen.fill(area);
  }
  const path = new Path2D();
  if (bars) bars.draw(path, picture, slot, px, py, ratio);
  else drawLine(path, trace, picture.x, lines, px, py);
  if (bars && !compare) {
    pen.fillStyle = bars.ink(look, ratio);
    pen.fill(path);
    return;
  }
  pen.strokeStyle = ink(look.token, compare ? 0.75 : 1);
  pen.lineWidth = LINE_WIDTH * ratio;
  pen.lineJoin = "round";
  pen.lineCap = compare === "year" || look.pattern === "dots" ? "round" : "butt";
  pen.setLineDash(dashOf(look, compare).map((length) => length * ratio));
  pen.stroke(path);
  pen.setLineDash([]);
}

/** The present, as a dashed upright. */
export function paintNow(sheet: Sheet, now: number): void {
  const { left, top, width, height, px } = sheet;
  const x = crisp(px(now));
  if (x > left && x < left + width) straight(sheet, x, top, x, top + height, "--muted", [2, 3]);
}

function dot(sheet: Sheet, x: number, y: number, radius: number, colour: string): void {
  const { pen, ratio } = sheet;
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius * ratio, 0, 7);
  pen.fill();
}

/** The newest reading of a series, with a halo. */
export function paintHead(sheet: Sheet, x: ArrayLike<number>, trace: Trace): void {
  let last = x.length - 1;
  while (last >= 0 && !isValue(trace.mean[last])) last--;
  if (last < 0) return;
  const left = sheet.px(x[last] as number);
  const top = sheet.py((trace.mean[last] as number) * trace.sign);
  dot(sheet, left, top, 8, ink(trace.look.token, 0.17));
  dot(sheet, left, top, 4, ink(trace.look.token));
}

/** A dot at each reading. */
export function paintDots(sheet: Sheet, x: ArrayLike<number>, trace: Trace): void {
  const colour = ink(trace.look.token);
  for (let i = 0; i < x.length; i++) {
    const value = trace.mean[i];
    if (isValue(value)) dot(sheet, sheet.px(x[i] as number), sheet.py(value * trace.sign), 2.75, colour);
  }
}
