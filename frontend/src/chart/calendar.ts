/** Marks of a time axis of any length: clock, days, months, years of the site's calendar, in words of the language. */

import type { Span } from "../time/period";
import { dayOf, plusDays, startOfDay } from "../time/period";
import type { Zone } from "../time/zone";
import type { TickMaker } from "./ticks";
import { clockLabel, dateFormat, evenTicks, leastApart, shortStep } from "./ticks";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const HOUR_STEPS = [1, 2, 3, 6, 12];
const DAY_STEPS = [1, 2, 5, 10];
const MONTH_STEPS = [1, 2, 3, 6];
const YEAR_STEPS = [1, 2, 5, 10, 20];

/** Instants of the ticks and the kind of unit they count. */
export interface TickPlan {
  readonly unit: "second" | "minute" | "day" | "month" | "year";
  readonly at: readonly number[];
}

export function tickPlan(span: Span, widthPx: number, zone: Zone): TickPlan {
  const least = leastApart(span, widthPx);
  const short = shortStep(least);
  if (short !== null) return { unit: short < MINUTE ? "second" : "minute", at: evenTicks(span, short, zone) };
  for (const hours of HOUR_STEPS) if (hours * HOUR >= least) return { unit: "minute", at: hourTicks(span, hours, zone) };
  for (const days of DAY_STEPS) if (days * DAY >= least) return { unit: "day", at: dayTicks(span, days, zone) };
  for (const months of MONTH_STEPS) {
    if (months * 30 * DAY >= least) return { unit: "month", at: monthTicks(span, months, zone) };
  }
  const years = YEAR_STEPS.find((n) => n * 365 * DAY >= least) ?? 50;
  return { unit: "year", at: monthTicks(span, 12 * years, zone) };
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
  for (let m = Math.floor(months / step) * step; ; m += step) {
    const day = { year: Math.floor(m / 12), month: (m % 12) + 1, day: 1 };
    const t = startOfDay(day, zone);
    if (t > span.to) return at;
    if (t >= span.from) at.push(t);
  }
}

/** The ticks with their words; midnight shows the day, January the year. */
export const timeTicks: TickMaker = (span, widthPx, zone, locale) => {
  const plan = tickPlan(span, widthPx, zone);
  const days = (span.to - span.from) / DAY;
  return plan.at.map((at) => ({ at, label: labelAt(at, plan.unit, days, zone, locale) }));
};

function labelAt(at: number, unit: TickPlan["unit"], days: number, zone: Zone, locale: string): string {
  const local = zone.local(at);
  const say = (options: Intl.DateTimeFormatOptions) => dateFormat(locale, zone, options).format(at);
  if (unit === "year") return say({ year: "numeric" });
  if (unit === "month") return local.month === 1 ? say({ year: "numeric" }) : say({ month: "short" });
  const midnight = local.hour === 0 && local.minute === 0 && local.second === 0;
  if (unit !== "day" && !(midnight && days > 0.5)) return clockLabel(at, unit === "second", zone, locale);
  return days <= 12 ? say({ weekday: "short", day: "numeric" }) : say({ day: "numeric", month: "short" });
}
