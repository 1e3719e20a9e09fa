/** A picture on a canvas of its own: where it stands, over which span, with which axes; `paint.ts` draws its parts. */

import { fixed, shown } from "../format/number";
import type { Span } from "../time/period";
import type { Zone } from "../time/zone";
import type { Sheet } from "./paint";
import { inside, paintDots, paintHead, paintMissing, paintNow, paintTimeAxis, paintTrace, paintValueAxis, rootPx } from "./paint";
import { runs } from "./paths";
import type { Picture } from "./picture";
import { EMPTY_PICTURE } from "./picture";
import type { ValueAxis } from "./scale";
import { calmer, extremes, valueAxis } from "./scale";
import type { TickMaker } from "./ticks";

export interface PlotSetting {
  readonly zone: Zone;
  readonly locale: string;
  readonly ticks: TickMaker;
  /** A live picture keeps its value axis while it fits. */
  readonly calm: boolean;
}

/** Where the picture stands inside its element, in CSS pixels. */
export interface PlotBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const TOP = 10;
const RIGHT = 12;
/** Room below the picture for the words of the time axis. */
const BELOW = 30;
/** Nearer readings than this get no dots. */
const DOTS_APART_PX = 9;

export class Plot {
  private readonly canvas = document.createElement("canvas");
  private readonly pen = this.canvas.getContext("2d");
  private width = 0;
  private height = 0;
  private ratio = 0;
  private picture: Picture = EMPTY_PICTURE;
  private span: Span = { from: 0, to: 1 };
  private axis: ValueAxis = valueAxis(null, "W", true, 200);
  private lines: number[][][] = [];
  private now: number | null = null;
  private place: PlotBox = { left: 0, top: 0, width: 1, height: 1 };

  constructor(
    private readonly host: HTMLElement,
    private setting: PlotSetting,
  ) {
    host.append(this.canvas);
    this.measure();
  }

  /** Draws `picture` over `span`; `now` is marked with a line when it is in view. */
  draw(picture: Picture, span: Span, now: number | null): void {
    this.picture = picture;
    this.lines = picture.traces.map((trace) => (picture.bars ? [] : runs(picture.x, trace.mean, picture.gapMs)));
    this.move(span, now);
  }

  /** Moves the view without new columns: while fingers pinch, while live time runs. */
  move(span: Span, now: number | null): void {
    this.span = span;
    this.now = now;
    this.refresh();
  }

  resize(): void {
    if (this.measure()) this.refresh();
  }

  /** Theme or language changed. */
  rebuild(setting: PlotSetting): void {
    this.setting = setting;
    this.refresh();
  }

  destroy(): void {
    this.canvas.remove();
  }

  get box(): PlotBox {
    return this.place;
  }

  get unitLabel(): string {
    return shown(this.axis.scaled.symbol);
  }

  get scaled(): ValueAxis["scaled"] {
    return this.axis.scaled;
  }

  /** CSS pixels from the left edge of the picture. */
  xOf(ms: number): number {
    return ((ms - this.span.from) / (this.span.to - this.span.from)) * this.place.width;
  }

  msOf(px: number): number {
    return this.span.from + (px / this.place.width) * (this.span.to - this.span.from);
  }

  yOf(value: number): number {
    const { min, max } = this.axis;
    return (1 - (value - min) / (max - min)) * this.place.height;
  }

  /** True when the canvas has another size now; one that is not shown keeps its own. */
  private measure(): boolean {
    const { clientWidth: width, clientHeight: height } = this.host;
    const ratio = devicePixelRatio;
    if (width === 0 || (this.width === width && this.height === height && this.ratio === ratio)) return false;
    Object.assign(this, { width, height, ratio });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    return true;
  }

  /** The value axis needs the height, the picture the room that its words leave. */
  private arrange(): void {
    const height = Math.max(1, this.height - TOP - BELOW);
    const { picture, span, setting } = this;
    const wanted = valueAxis(extremes(picture, span), picture.unit, picture.zeroed, height);
    this.axis = setting.calm ? calmer(this.axis, wanted) : wanted;
    const longest = Math.max(2, ...this.axis.ticks.map((tick) => this.bare(tick).length));
    const left = Math.round(14 + 0.46 * rootPx() * longest);
    this.place = { left, top: TOP, width: Math.max(1, this.width - left - RIGHT), height };
  }

  private refresh(): void {
    this.arrange();
    const { pen, picture, span, place, ratio } = this;
    if (!pen) return;
    const { zone, locale } = this.setting;
    const ticks = picture.bars && picture.ends
      ? picture.bars.ticks(picture.x, picture.ends, place.width, zone, locale)
      : this.setting.ticks(span, place.width, zone, locale);
    const sheet: Sheet = {
      pen,
      ratio,
      left: Math.round(place.left * ratio),
      top: Math.round(place.top * ratio),
      width: Math.round(place.width * ratio),
      height: Math.round(place.height * ratio),
      px: (ms) => (place.left + this.xOf(ms)) * ratio,
      py: (value) => (place.top + this.yOf(value)) * ratio,
    };
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    paintValueAxis(sheet, this.axis.ticks, (tick) => this.bare(tick));
    paintTimeAxis(sheet, ticks);
    paintMissing(sheet, picture.missing);
    inside(sheet, 1, () => picture.traces.forEach((_, slot) => paintTrace(sheet, picture, slot, this.lines[slot] ?? [])));
    inside(sheet, 4, () => this.marks(sheet));
  }

  private marks(sheet: Sheet): void {
    const { picture, span, now } = this;
    if (now !== null) paintNow(sheet, now);
    const inView = picture.dots ? countBetween(picture.x, span) : 0;
    const dotted = inView > 0 && this.place.width / inView >= DOTS_APART_PX;
    for (const trace of picture.traces) {
      if (dotted && !trace.compare) paintDots(sheet, picture.x, trace);
      if (picture.heads) paintHead(sheet, picture.x, trace);
    }
  }

  private bare(tick: number): string {
    return fixed(tick / this.axis.scaled.divisor, this.axis.tickDecimals, this.setting.locale);
  }
}

function countBetween(x: ArrayLike<number>, span: Span): number {
  let found = 0;
  for (let i = 0; i < x.length; i++) {
    const at = x[i] as number;
    if (at >= span.from && at <= span.to) found++;
  }
  return found;
}
