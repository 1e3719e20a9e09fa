/** Calendar periods of a site: which instants a day, week, month, year or ten years cover; knows no address. */

import type { Zone } from "./zone";

export type Period = "day" | "week" | "month" | "year" | "decade";
export const PERIODS: readonly Period[] = ["day", "week", "month", "year", "decade"];

/** A day of the calendar, without zone. */
export interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Half open, milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export function dayOf(ms: number, zone: Zone): Day {
  const { year, month, day } = zone.local(ms);
  return { year, month, day };
}

export function isoDay({ year, month, day }: Day): string {
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** `2026-11-16` as a day, or null for anything that is not a day of the calendar. */
export function parseDay(text: string): Day | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return null;
  const day = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) };
  return isoDay(plusDays(day, 0)) === text ? day : null;
}

function fromClock(clock: Date): Day {
  return { year: clock.getUTCFullYear(), month: clock.getUTCMonth() + 1, day: clock.getUTCDate() };
}

export function plusDays({ year, month, day }: Day, days: number): Day {
  return fromClock(new Date(Date.UTC(year, month - 1, day + days)));
}

/** The same day that many months on, held at the end of a shorter month: 31 January + 1 = 28 February. */
export function plusMonths({ year, month, day }: Day, months: number): Day {
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0)).getUTCDate();
  return fromClock(new Date(Date.UTC(year, month - 1 + months, Math.min(day, last))));
}

/** 1 is Monday, 7 is Sunday. */
export function weekday({ year, month, day }: Day): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7;
}

/** First day of the period that holds `day`; ten years end with the year of `day`. */
export function firstDay(period: Period, day: Day, weekStart: number): Day {
  if (period === "day") return day;
  if (period === "week") return plusDays(day, -((weekday(day) - weekStart + 7) % 7));
  if (period === "month") return { ...day, day: 1 };
  if (period === "year") return { year: day.year, month: 1, day: 1 };
  return { year: day.year - 9, month: 1, day: 1 };
}

/** The day that many periods on; ten years step by ten. */
export function shifted(period: Period, day: Day, steps: number): Day {
  if (period === "day") return plusDays(day, steps);
  if (period === "week") return plusDays(day, 7 * steps);
  if (period === "month") return plusMonths(day, steps);
  return plusMonths(day, (period === "year" ? 12 : 120) * steps);
}

export function startOfDay(day: Day, zone: Zone): number {
  return zone.instant(day.year, day.month, day.day);
}

/** When a day is over: the first moment of the next one. */
export function endOfDay(day: Day, zone: Zone): number {
  return startOfDay(plusDays(day, 1), zone);
}

export function spanOf(period: Period, day: Day, zone: Zone, weekStart: number): Span {
  const first = firstDay(period, day, weekStart);
  return { from: startOfDay(first, zone), to: startOfDay(shifted(period, first, 1), zone) };
}

/** What a picture is compared with: the period before, or the same one a year before (52 weeks for days and weeks). */
export type Compare = "previous" | "year";

/** How far the compared period lies back; whole days, or whole months where months and years are compared. */
export interface Shift {
  readonly days: number;
  readonly months: number;
}

/** `coarse`: the picture is made of months or years, so the shift is counted in months. */
export function shiftOf(period: Period, first: Day, compare: Compare, coarse: boolean): Shift {
  if (compare === "year" && (period === "day" || period === "week")) return { days: 364, months: 0 };
  const before = compare === "previous" ? shifted(period, first, -1) : plusMonths(first, -12);
  if (coarse) return { days: 0, months: 12 * (first.year - before.year) + first.month - before.month };
  return { days: daysBetween(before, first), months: 0 };
}

export function daysBetween(early: Day, late: Day): number {
  const clock = (day: Day) => Date.UTC(day.year, day.month - 1, day.day);
  return Math.round((clock(late) - clock(early)) / 86_400_000);
}

/** The instant at the same place in the compared period: the local clock is kept, the calendar moves. */
export function counterpart(ms: number, shift: Shift, zone: Zone): number {
  const local = zone.local(ms);
  const day = plusDays(plusMonths(local, -shift.months), -shift.days);
  const rest = ms - Math.floor(ms / 1000) * 1000;
  return zone.instant(day.year, day.month, day.day, local.hour, local.minute, local.second) + rest;
}

/** The first day of the week in that language's region: 1 Monday … 7 Sunday. */
export function weekStartOf(locale: string): number {
  const known = new Intl.Locale(locale) as Intl.Locale & {
    getWeekInfo?: () => { firstDay: number };
    weekInfo?: { firstDay: number };
  };
  const told = known.getWeekInfo?.().firstDay ?? known.weekInfo?.firstDay;
  if (told) return told;
  return /-(US|CA|MX|BR|JP|IN|IL|ZA)\b/.test(locale) ? 7 : 1;
}
