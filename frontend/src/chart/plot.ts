/** Draws a picture with uPlot; the only file that knows the library, so that another can take its place. */

import uPlot from "uplot";

import { fixed, shown } from "../format/number";
import type { Span } from "../time/period";
import type { Zone } from "../time/zone";
import { dashOf, ink, missingInk } from "./ink";
import { drawBand, drawFill, drawLine, runs } from "./paths";
import type { Picture, Trace } from "./picture";
import { EMPTY_PICTURE, isValue } from "./picture";
import type { ValueAxis } from "./scale";
import { calmer, extremes, valueAxis } from "./scale";
import type { Tick, TickMaker } from "./ticks";

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

const LINE_WIDTH = 1.75;

export class Plot {
  private chart: uPlot | null = null;
  private shape = "";
  private picture: Picture = EMPTY_PICTURE;
  private span: Span = { from: 0, to: 1 };
  private axis: ValueAxis = valueAxis(null, "W", true, 200);
  private ticks: Tick[] = [];
  private lines: number[][][] = [];
  private now: number | null = null;

  constructor(
    private readonly host: HTMLElement,
    private setting: PlotSetting,
  ) {}

  /** Draws `picture` over `span`; `now` is marked with a line when it is in view. */
  draw(picture: Picture, span: Span, now: number | null): void {
    this.picture = picture;
    this.span = span;
    this.now = now;
    this.lines = !picture.bars ? picture.traces.map((trace) => runs(picture.x, trace.mean, picture.gapMs)) : [];
    const shape = this.shapeOf(picture);
    if (shape !== this.shape || !this.chart) this.build(shape);
    this.refresh(true);
  }

  /** Moves the view without new columns: while fingers pinch, while live time runs. */
  move(span: Span, now: number | null): void {
    this.span = span;
    this.now = now;
    this.refresh(false);
  }

  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!this.chart || width === 0 || (this.chart.width === width && this.chart.height === height)) return;
    this.chart.setSize({ width, height });
    this.refresh(false);
  }

  /** Theme or language changed: everything is built again. */
  rebuild(setting: PlotSetting): void {
    this.setting = setting;
    this.shape = "";
    this.draw(this.picture, this.span, this.now);
  }

  destroy(): void {
    this.chart?.destroy();
    this.chart = null;
  }

  get box(): PlotBox {
    const over = this.chart?.over;
    if (!over) return { left: 0, top: 0, width: 1, height: 1 };
    return { left: over.offsetLeft, top: over.offsetTop, width: over.clientWidth, height: over.clientHeight };
  }

  get unitLabel(): string {
    return shown(this.axis.scaled.symbol);
  }

  get scaled(): ValueAxis["scaled"] {
    return this.axis.scaled;
  }

  /** CSS pixels from the left edge of the picture. */
  xOf(ms: number): number {
    return ((ms - this.span.from) / (this.span.to - this.span.from)) * this.box.width;
  }

  msOf(px: number): number {
    return this.span.from + (px / this.box.width) * (this.span.to - this.span.from);
  }

  yOf(value: number): number {
    const { min, max } = this.axis;
    return (1 - (value - min) / (max - min)) * this.box.height;
  }

  private shapeOf(picture: Picture): string {
    const looks = picture.traces.map((t) => `${t.look.token}${t.look.pattern}${t.compare}${t.fill}${t.low !== null}`);
    return [picture.bars ? "bars" : "line", ...looks].join(" ");
  }

  private refresh(newColumns: boolean): void {
    const chart = this.chart;
    if (!chart) return;
    const { picture, span } = this;
    const box = this.box;
    const wanted = valueAxis(extremes(picture, span), picture.unit, picture.zeroed, box.height);
    this.axis = this.setting.calm ? calmer(this.axis, wanted) : wanted;
    const { zone, locale } = this.setting;
    this.ticks = picture.bars && picture.ends
      ? picture.bars.ticks(picture.x, picture.ends, box.width, zone, locale)
      : this.setting.ticks(span, box.width, zone, locale);
    chart.batch(() => {
      if (newColumns) chart.setData(this.columns(), false);
      chart.setScale("x", { min: span.from, max: span.to });
      // Ticks are ours and change with the columns even where both scales stay the same.
      chart.redraw(false, true);
    });
  }

  private columns(): uPlot.AlignedData {
    const { x, traces } = this.picture;
    if (x.length === 0) return [[this.span.from, this.span.to], ...this.picture.traces.flatMap(() => [[null, null], [null, null]])];
    return [x as number[], ...traces.flatMap((trace) => [trace.mean, trace.mean])] as uPlot.AlignedData;
  }

  private build(shape: string): void {
    this.chart?.destroy();
    this.shape = shape;
    const { clientWidth: width, clientHeight: height } = this.host;
    this.chart = new uPlot(
      {
        width: Math.max(width, 40),
        height: Math.max(height, 40),
        padding: [10, 12, 0, 0],
        pxAlign: 1,
        legend: { show: false },
        cursor: { show: false },
        select: { show: false, left: 0, top: 0, width: 0, height: 0 },
        scales: {
          x: { time: false, auto: false, range: () => [this.span.from, this.span.to] },
          y: { range: () => [this.axis.min, this.axis.max] },
        },
        axes: this.axes(),
        series: [{}, ...this.picture.traces.flatMap((trace, slot) => [this.areaOf(trace, slot), this.lineOf(trace, slot)])],
        hooks: { drawAxes: [() => this.underlay()], draw: [() => this.overlay()] },
      },
      this.columns(),
      this.host,
    );
    // The library lays itself out in a later microtask; our ticks need the size of the picture now.
    this.chart.batch(() => undefined);
  }

  private axes(): uPlot.Axis[] {
    const font = `${Math.round(0.75 * rootPx())}px system-ui, sans-serif`;
    const grid = { stroke: () => ink("--border"), width: 1 };
    return [
      {
        font,
        size: 30,
        gap: 8,
        stroke: () => ink("--muted"),
        grid: { show: false },
        ticks: { show: false },
        splits: () => this.ticks.map((tick) => tick.at),
        values: () => this.ticks.map((tick) => this.fitting(tick)),
      },
      {
        font,
        gap: 8,
        size: (_chart, values) => 14 + 0.46 * rootPx() * Math.max(2, ...(values ?? []).map((text) => text.length)),
        stroke: () => ink("--muted"),
        grid,
        ticks: { show: false },
        splits: () => [...this.axis.ticks],
        values: () => this.axis.ticks.map((tick) => this.bare(tick)),
      },
    ];
  }

  /** Words that would be cut at the left or right edge are left out. */
  private fitting(tick: Tick): string {
    const half = tick.label.length * 3.2;
    const at = this.xOf(tick.at);
    return at - half < -this.box.left || at + half > this.box.width + 12 ? "" : tick.label;
  }

  private bare(tick: number): string {
    return fixed(tick / this.axis.scaled.divisor, this.axis.tickDecimals, this.setting.locale);
  }

  private areaOf(trace: Trace, slot: number): uPlot.Series {
    return {
      auto: false,
      width: 0,
      points: { show: false },
      fill: () => ink(trace.look.token, trace.low ? 0.22 : 0.17),
      paths: (chart) => this.trace(chart, slot, (path, current, px, py) => {
        const lines = this.lines[slot] ?? [];
        if (this.picture.bars || current.compare) return;
        if (current.low) drawBand(path, current, this.picture.x, lines, px, py);
        else if (current.fill) drawFill(path, current, this.picture.x, lines, px, py);
      }),
    };
  }

  private lineOf(trace: Trace, slot: number): uPlot.Series {
    const bars = this.picture.bars;
    return {
      auto: false,
      width: bars && !trace.compare ? 0 : LINE_WIDTH,
      points: { show: false },
      cap: trace.compare === "year" || trace.look.pattern === "dots" ? "round" : "butt",
      dash: dashOf(trace.look, trace.compare),
      stroke: () => ink(trace.look.token, trace.compare ? 0.75 : 1),
      ...(bars && !trace.compare ? { fill: () => bars.ink(trace.look, devicePixelRatio) } : {}),
      paths: (chart) => this.trace(chart, slot, (path, current, px, py) => {
        if (bars) bars.draw(path, this.picture, slot, px, py, devicePixelRatio);
        else drawLine(path, current, this.picture.x, this.lines[slot] ?? [], px, py);
      }),
    };
  }

  private trace(
    chart: uPlot,
    slot: number,
    put: (path: Path2D, trace: Trace, px: (ms: number) => number, py: (value: number) => number) => void,
  ): uPlot.Series.Paths {
    const path = new Path2D();
    const trace = this.picture.traces[slot];
    if (trace) put(path, trace, (ms) => chart.valToPos(ms, "x", true), (value) => chart.valToPos(value, "y", true));
    return { stroke: path, fill: path, clip: null, band: null, flags: 0 };
  }

  /** Below the lines: the zero line, and a hatched strip where nothing was read. */
  private underlay(): void {
    const chart = this.chart;
    if (!chart) return;
    const { ctx, bbox } = chart;
    ctx.save();
    if (this.axis.min <= 0 && this.axis.max >= 0) {
      const y = Math.round(chart.valToPos(0, "y", true)) + 0.5;
      this.stroke([[bbox.left, y], [bbox.left + bbox.width, y]], "--control", []);
    }
    const height = 5 * devicePixelRatio;
    for (const { from, to } of this.picture.missing) {
      const left = Math.max(bbox.left, chart.valToPos(from, "x", true));
      const right = Math.min(bbox.left + bbox.width, chart.valToPos(to, "x", true));
      if (right - left < 1) continue;
      ctx.fillStyle = missingInk(devicePixelRatio);
      ctx.fillRect(left, bbox.top + bbox.height, right - left, height);
    }
    ctx.restore();
  }

  /** Above the lines: single readings, and the present. */
  private overlay(): void {
    const chart = this.chart;
    if (!chart) return;
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - 4, bbox.top - 4, bbox.width + 8, bbox.height + 8);
    ctx.clip();
    if (this.now !== null && this.now > this.span.from && this.now < this.span.to) {
      const x = Math.round(chart.valToPos(this.now, "x", true)) + 0.5;
      this.stroke([[x, bbox.top], [x, bbox.top + bbox.height]], "--muted", [2 * devicePixelRatio, 3 * devicePixelRatio]);
    }
    for (const trace of this.picture.traces) {
      if (this.picture.dots) this.marks(trace);
      if (this.picture.heads) this.head(trace);
    }
    ctx.restore();
  }

  private head(trace: Trace): void {
    const chart = this.chart;
    const { x } = this.picture;
    let last = x.length - 1;
    while (last >= 0 && !isValue(trace.mean[last])) last--;
    if (!chart || last < 0) return;
    const left = chart.valToPos(x[last] as number, "x", true);
    const top = chart.valToPos((trace.mean[last] as number) * trace.sign, "y", true);
    const { ctx } = chart;
    for (const [radius, alpha] of [[8, 0.17], [4, 1]] as const) {
      ctx.fillStyle = ink(trace.look.token, alpha);
      ctx.beginPath();
      ctx.arc(left, top, radius * devicePixelRatio, 0, 7);
      ctx.fill();
    }
  }

  private marks(trace: Trace): void {
    const chart = this.chart;
    const { x } = this.picture;
    const inView = countBetween(x, this.span);
    if (!chart || trace.compare || inView === 0 || this.box.width / inView < 9) return;
    const { ctx } = chart;
    ctx.fillStyle = ink(trace.look.token);
    for (let i = 0; i < x.length; i++) {
      const value = trace.mean[i];
      if (!isValue(value)) continue;
      ctx.beginPath();
      ctx.arc(chart.valToPos(x[i] as number, "x", true), chart.valToPos(value * trace.sign, "y", true), 2.75 * devicePixelRatio, 0, 7);
      ctx.fill();
    }
  }

  private stroke(line: readonly (readonly [number, number])[], token: string, dash: number[]): void {
    const ctx = this.chart?.ctx;
    if (!ctx) return;
    ctx.strokeStyle = ink(token);
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(dash);
    ctx.beginPath();
    line.forEach(([x, y], place) => (place === 0 ? ctx.moveTo(x, y) : ctx.lineTo(x, y)));
    ctx.stroke();
    ctx.setLineDash([]);
  }
}

function rootPx(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}

function countBetween(x: ArrayLike<number>, span: Span): number {
  let found = 0;
  for (let i = 0; i < x.length; i++) {
    const at = x[i] as number;
    if (at >= span.from && at <= span.to) found++;
  }
  return found;
}
