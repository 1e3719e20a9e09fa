/** From the server's columns to a picture: lines, bars, single readings, compared periods, gaps; pure. */

import type { ApiPoint, Cells, ReadingsAnswer, SeriesAnswer, SeriesPoint } from "../api/types";
import type { Column, Look, Picture, Trace } from "../chart/picture";
import { BARS } from "../chart/bars";
import { gapOf, missingSpans } from "../chart/gaps";
import { isValue } from "../chart/picture";
import type { Compare, Shift, Span } from "../time/period";
import { counterpart } from "../time/period";
import type { Zone } from "../time/zone";
import { family, hasAmount, isPower, signOf } from "./parts";

const HOUR_MS = 3_600_000;

/** A compared period: its answer, its word, and how far back it lies. */
export interface Compared {
  readonly compare: Compare;
  readonly answer: SeriesAnswer;
  readonly shift: Shift;
}

export interface Drawing {
  readonly points: readonly ApiPoint[];
  readonly looks: ReadonlyMap<number, Look>;
  readonly zone: Zone;
  /** Nothing is missing after this instant: it has not been yet. */
  readonly now: number;
}

/** Where each bucket ends: where the next begins. */
export function bucketEnds({ start, end }: Pick<SeriesAnswer, "start" | "end">): number[] {
  return start.map((_, i) => start[i + 1] ?? end);
}

/** Power of a point in each bucket: as read, or the amount of a counter spread over the bucket. */
export function powerOf(column: SeriesPoint, point: ApiPoint, starts: readonly number[], ends: readonly number[]): Cells {
  if (family(point) !== "energy" || isPower(point)) return column.mean;
  return column.amount.map((amount, i) =>
    amount === null ? null : amount / (((ends[i] as number) - (starts[i] as number)) / HOUR_MS),
  );
}

function anyFilled(traces: readonly Trace[]): (i: number) => boolean {
  const own = traces.filter((trace) => !trace.compare);
  return (i) => own.some((trace) => isValue(trace.mean[i]));
}

function traceOf(point: ApiPoint, look: Look, mean: Column, more: Partial<Trace> = {}): Trace {
  return {
    key: String(point.id),
    name: point.label,
    look,
    mean,
    low: null,
    high: null,
    fill: false,
    compare: null,
    sign: signOf(point),
    ...more,
  };
}

/** Points that the answer has columns for, in the order wanted, with their looks. */
function each(answer: SeriesAnswer, drawing: Drawing): { point: ApiPoint; column: SeriesPoint; look: Look }[] {
  return drawing.points.flatMap((point) => {
    const column = answer.points.find((one) => one.id === point.id);
    const look = drawing.looks.get(point.id);
    return column && look ? [{ point, column, look }] : [];
  });
}

/** True when a bucket usually holds several readings, so that an empty one is a silence. */
function often(column: SeriesPoint): boolean {
  const filled = column.count.filter((count) => count).length;
  return column.readings >= 2 * Math.max(1, filled);
}

/** A line of power (or of any gauge) with its band, and compared periods dashed behind it. */
export function linePicture(answer: SeriesAnswer, drawing: Drawing, span: Span, compared: readonly Compared[] = []): Picture {
  const ends = bucketEnds(answer);
  const x = answer.start.map((at, i) => (at + (ends[i] as number)) / 2);
  const stepMs = x.length > 0 ? (ends[0] as number) - (answer.start[0] as number) : 0;
  const own = each(answer, drawing);
  const traces = own.map(({ point, column, look }) => {
    const banded = isPower(point) || !hasAmount(point);
    return traceOf(point, look, powerOf(column, point, answer.start, ends), {
      low: banded ? column.min : null,
      high: banded ? column.max : null,
      fill: own.length === 1,
    });
  });
  const filled = anyFilled(traces);
  const gapMs = own.every(({ column }) => often(column)) ? stepMs * 1.5 : gapOf(x, filled, stepMs);
  const first = drawing.points[0];
  const energy = first ? family(first) === "energy" : true;
  return {
    bars: null,
    x,
    ends: null,
    traces: [...traces, ...compared.flatMap((one) => comparedLines(one, answer.start, drawing))],
    unit: energy ? "W" : (first?.base_unit ?? ""),
    zeroed: energy,
    gapMs,
    missing: missingSpans(x, filled, gapMs, span.from, Math.min(span.to, drawing.now)),
    dots: false,
    heads: false,
  };
}

/** A compared series looked up at the counterpart of each bucket, so that days of 23 hours still line up. */
function comparedLines({ compare, answer, shift }: Compared, starts: readonly number[], drawing: Drawing): Trace[] {
  const place = new Map(answer.start.map((at, i) => [at, i]));
  const index = starts.map((at) => place.get(counterpart(at, shift, drawing.zone)) ?? -1);
  const ends = bucketEnds(answer);
  return each(answer, drawing).map(({ point, column, look }) => {
    const power = powerOf(column, point, answer.start, ends);
    return traceOf(point, look, index.map((i) => (i < 0 ? null : (power[i] ?? null))), { key: `${point.id} ${compare}`, compare });
  });
}

/** Bars of energy (or another amount); points without an amount have no bars. */
export function barPicture(answer: SeriesAnswer, drawing: Drawing, span: Span, compared: readonly Compared[] = []): Picture {
  const ends = bucketEnds(answer);
  const own = each(answer, drawing).filter(({ column }) => column.amount_unit !== null);
  const traces = own.flatMap(({ point, column, look }) => [
    traceOf(point, look, column.amount),
    ...compared.flatMap((one) => comparedBars(one, point, look, answer, drawing)),
  ]);
  const filled = anyFilled(traces);
  const missing = answer.start.flatMap((at, i) =>
    filled(i) || at >= Math.min(span.to, drawing.now) ? [] : [{ from: at, to: Math.min(ends[i] as number, drawing.now) }],
  );
  return {
    bars: BARS,
    x: answer.start,
    ends,
    traces,
    unit: own[0]?.column.amount_unit ?? "Wh",
    zeroed: true,
    gapMs: Infinity,
    missing,
    dots: false,
    heads: false,
  };
}

function comparedBars({ compare, answer: before, shift }: Compared, point: ApiPoint, look: Look, answer: SeriesAnswer, drawing: Drawing): Trace[] {
  const column = before.points.find((one) => one.id === point.id);
  if (!column || column.amount_unit === null) return [];
  const place = new Map(before.start.map((at, i) => [at, i]));
  const amount = answer.start.map((at) => {
    const i = place.get(counterpart(at, shift, drawing.zone));
    return i === undefined ? null : (column.amount[i] ?? null);
  });
  return [traceOf(point, look, amount, { key: `${point.id} ${compare}`, compare })];
}

/** Single readings of several points, told in base units, on one time axis. */
export function readingsPicture(answers: readonly ReadingsAnswer[], drawing: Drawing, span: Span): Picture {
  const times = [...new Set(answers.flatMap((answer) => answer.time))].sort((a, b) => a - b);
  const place = new Map(times.map((at, i) => [at, i]));
  const traces = drawing.points.flatMap((point) => {
    const answer = answers.find((one) => one.point === point.id);
    const look = drawing.looks.get(point.id);
    if (!answer || !look) return [];
    const mean = new Float64Array(times.length).fill(NaN);
    answer.time.forEach((at, i) => {
      const row = place.get(at);
      if (row !== undefined) mean[row] = answer.value[i] as number;
    });
    return [traceOf(point, look, mean, { fill: drawing.points.length === 1 })];
  });
  const filled = anyFilled(traces);
  const gapMs = gapOf(times, filled, 0);
  const first = drawing.points[0];
  const energy = first ? family(first) === "energy" : true;
  return {
    bars: null,
    x: times,
    ends: null,
    traces,
    unit: energy ? "W" : (first?.base_unit ?? ""),
    zeroed: energy,
    gapMs,
    missing: missingSpans(times, filled, gapMs, span.from, Math.min(span.to, drawing.now)),
    dots: true,
    heads: false,
  };
}
