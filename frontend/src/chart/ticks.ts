/** Where the time axis has its marks and what stands there: local calendar of the site, words of the language. */

import type { Span } from "../time/period";
import { dayOf, plusDays, plusMonths, startOfDay } from "../time/period";
import type { Zone } from "../time/zone";

export interface Tick {
  readonly at: number;
  readonly label: string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const SHORT_STEPS = [1, 2, 5, 10, 15, 30].flatMap((n) => [n * SECOND]).concat([1, 2, 5, 10, 15, 30].map((n) => n * MINUTE));
const HOUR_STEPS = [1, 2, 3, 6, 12];
const DAY_STEPS = [1, 2, 5, 10];
const MONTH_STEPS = [1, 2, 3, 6];
const YEAR_STEPS = [1, 2, 5, 10, 20];

/** Instants of the ticks and the kind of unit they count. */
export interface TickPlan {
  readonly unit: "second" | "minute" | "day" | "month" | "year";
  readonly at: readonly number[];
}

/** Ticks at least `roomPx` apart. */
export function tickPlan(span: Span, widthPx: number, zone: Zone, roomPx = 72): TickPlan {
  const least = ((span.to - span.from) * roomPx) / Math.max(1, widthPx);
  for (const step of SHORT_STEPS) {
    if (step >= least) return { unit: step < MINUTE ? "second" : "minute", at: evenTicks(span, step, zone) };
  }
  for (const hours of HOUR_STEPS) if (hours * HOUR >= least) return { unit: "minute", at: hourTicks(span, hours, zone) };
  for (const days of DAY_STEPS) if (days * DAY >= least) return { unit: "day", at: dayTicks(span, days, zone) };
  for (const months of MONTH_STEPS) {
    if (months * 30 * DAY >= least) return { unit: "month", at: monthTicks(span, months, zone) };
  }
  const years = YEAR_STEPS.find((n) => n * 365 * DAY >= least) ?? 50;
  return { unit: "year", at: monthTicks(span, 12 * years, zone) };
}

function evenTicks(span: Span, step: number, zone: Zone): number[] {
  const offset = zone.offset(span.from);
  const at: number[] = [];
  for (let t = Math.ceil((span.from + offset) / step) * step - offset; t <= span.to; t += step) at.push(t);
  return at;
}

function hourTicks(span: Span, step: number, zone: Zone): number[] {
  const at: number[] = [];
  for (let day = dayOf(span.from, zone); ; day = plusDays(day, 1)) {
    for (let hour = 0; hour < 24; hour += step) {
      const t = zone.instant(day.year, day.month, day.day, hour);
      if (t > span.to) return at;
      if (t >= span.from && t !== at[at.length - 1]) at.push(t);
    }
  }
}

function dayTicks(span: Span, step: number, zone: Zone): number[] {
  const at: number[] = [];
  for (let day = dayOf(span.from, zone); ; day = plusDays(day, 1)) {
    const t = startOfDay(day, zone);
    if (t > span.to) return at;
    const crowdsNextMonth = step > 1 && plusDays(day, Math.ceil(step / 2)).month !== day.month;
    if (t >= span.from && (day.day - 1) % step === 0 && !crowdsNextMonth) at.push(t);
  }
}

function monthTicks(span: Span, step: number, zone: Zone): number[] {
  const at: number[] = [];
  const first = dayOf(span.from, zone);
  const months = first.year * 12 + first.month - 1;
  let day = plusMonths({ year: 0, month: 1, day: 1 }, 0);
  for (let m = Math.floor(months / step) * step; ; m += step) {
    day = { year: Math.floor(m / 12), month: (m % 12) + 1, day: 1 };
    const t = startOfDay(day, zone);
    if (t > span.to) return at;
    if (t >= span.from) at.push(t);
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

export function dateFormat(locale: string, zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${zone.name} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone.name });
    formats.set(key, found);
  }
  return found;
}

/** The ticks with their words; midnight shows the day, January the year. */
export function timeTicks(span: Span, widthPx: number, zone: Zone, locale: string): Tick[] {
  const plan = tickPlan(span, widthPx, zone);
  const days = (span.to - span.from) / DAY;
  return plan.at.map((at) => ({ at, label: labelAt(at, plan.unit, days, zone, locale) }));
}

function labelAt(at: number, unit: TickPlan["unit"], days: number, zone: Zone, locale: string): string {
  const local = zone.local(at);
  const say = (options: Intl.DateTimeFormatOptions) => dateFormat(locale, zone, options).format(at);
  if (unit === "year") return say({ year: "numeric" });
  if (unit === "month") return local.month === 1 ? say({ year: "numeric" }) : say({ month: "short" });
  const midnight = local.hour === 0 && local.minute === 0 && local.second === 0;
  if (unit === "day" || (midnight && days > 0.5)) return days <= 12 ? say({ weekday: "short", day: "numeric" }) : say({ day: "numeric", month: "short" });
  if (unit === "second") return say({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return say({ hour: "2-digit", minute: "2-digit" });
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
