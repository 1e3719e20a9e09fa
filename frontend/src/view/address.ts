/** The address of a history picture and the picture's view: each is made from the other and nothing is lost. */

import type { Compare, Day, Period, Span } from "../time/period";
import { PERIODS, isoDay, parseDay } from "../time/period";

/** `auto`: power up to three days, energy above; the other two are a person's own choice. */
export type Form = "auto" | "power" | "energy";

export interface View {
  readonly period: Period;
  /** Null: the period that holds the present. */
  readonly day: Day | null;
  /** A zoomed part of the period; null: all of it. */
  readonly window: Span | null;
  readonly compare: readonly Compare[];
  readonly form: Form;
  readonly site: number | null;
  /** Null: the points that the site shows by itself. */
  readonly points: readonly number[] | null;
}

export type Query = Readonly<Record<string, string>>;

export const DEFAULT_VIEW: View = {
  period: "week",
  day: null,
  window: null,
  compare: [],
  form: "auto",
  site: null,
  points: null,
};

/** The shortest window that can be looked at. */
export const SHORTEST_MS = 5_000;

const EARLIEST_MS = Date.UTC(1970, 0, 1);
const LATEST_MS = Date.UTC(2200, 0, 1);

function one(value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" ? first : "";
}

function parseInstant(text: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isFinite(ms) && ms >= EARLIEST_MS && ms <= LATEST_MS ? ms : null;
}

/** `2026-11-16T10:15:00Z`, with milliseconds only where there are any. */
export function isoInstant(ms: number): string {
  return new Date(Math.round(ms)).toISOString().replace(".000Z", "Z");
}

function parseWindow(from: string, to: string): Span | null {
  const a = parseInstant(from);
  const b = parseInstant(to);
  return a !== null && b !== null && b - a >= SHORTEST_MS ? { from: a, to: b } : null;
}

function parseIds(text: string): number[] | null {
  if (text === "") return null;
  const ids = text.split(",").map(Number);
  return ids.every((id) => Number.isSafeInteger(id) && id > 0) ? [...new Set(ids)] : null;
}

/** The view of an address; what cannot be read falls back to the default, part by part. */
export function parseView(query: Readonly<Record<string, unknown>>): View {
  const period = one(query.p) as Period;
  const form = one(query.as) as Form;
  const compare = one(query.cmp).split(",");
  return {
    period: PERIODS.includes(period) ? period : DEFAULT_VIEW.period,
    day: parseDay(one(query.d)),
    window: parseWindow(one(query.from), one(query.to)),
    compare: (["previous", "year"] as const).filter((name) => compare.includes(name)),
    form: form === "power" || form === "energy" ? form : "auto",
    site: parseIds(one(query.site))?.[0] ?? null,
    points: parseIds(one(query.points)),
  };
}

/** The shortest address that gives this view again. */
export function viewQuery(view: View): Query {
  const query: Record<string, string> = {};
  if (view.site !== null) query.site = String(view.site);
  query.p = view.period;
  if (view.day) query.d = isoDay(view.day);
  if (view.window) {
    query.from = isoInstant(view.window.from);
    query.to = isoInstant(view.window.to);
  }
  if (view.compare.length > 0) query.cmp = view.compare.join(",");
  if (view.form !== "auto") query.as = view.form;
  if (view.points) query.points = view.points.join(",");
  return query;
}
