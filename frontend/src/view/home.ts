/** What Home says first: who uses how much now, and how today and this month stand; pure. */

import type { ApiPoint, Latest, SeriesAnswer } from "../api/types";
import { isPower, mainPoints, ordered, roleOf } from "./parts";

/** The point whose power is "what is used now"; null when the site has none. */
export function answerPoint(points: readonly ApiPoint[]): ApiPoint | null {
  const power = mainPoints(points).filter(isPower);
  return power.find((point) => roleOf(point) === "home") ?? power.find((point) => roleOf(point) === "grid") ?? power[0] ?? null;
}

/** Single loads: appliances and vehicles by power or energy, and power that has no place in the home yet. */
export function loads(points: readonly ApiPoint[], except: readonly number[]): ApiPoint[] {
  const single = (point: ApiPoint) => {
    const role = roleOf(point);
    return role === "appliance" || role === "ev" ? point.amount_unit === "Wh" : role === "none" && isPower(point);
  };
  return ordered(points.filter((point) => single(point) && !except.includes(point.id)));
}

/** The greatest power first, then the greatest energy of today. */
export function byUse(points: readonly ApiPoint[], latest: ReadonlyMap<number, Latest>, todayWh: ReadonlyMap<number, number>): ApiPoint[] {
  const power = (point: ApiPoint) => (isPower(point) ? (latest.get(point.id)?.value ?? 0) : 0);
  const energy = (point: ApiPoint) => todayWh.get(point.id) ?? 0;
  return [...points].sort((a, b) => power(b) - power(a) || energy(b) - energy(a));
}

/** Share of the answer that is made on the roof, 0 to 1; null when none is made or measured. */
export function solarShare(points: readonly ApiPoint[], latest: ReadonlyMap<number, Latest>, usingW: number): number | null {
  const solar = points.filter((point) => roleOf(point) === "solar" && isPower(point));
  if (solar.length === 0 || usingW <= 0) return null;
  const madeW = solar.reduce((sum, point) => sum + Math.max(0, latest.get(point.id)?.value ?? 0), 0);
  return madeW < usingW * 0.005 ? null : Math.min(1, madeW / usingW);
}

export interface Progress {
  readonly bars: readonly (number | null)[];
  readonly before: readonly (number | null)[];
  /** Amount so far, the running bucket too; null when nothing was read. */
  readonly amount: number | null;
  /** Amounts up to the last bucket that is over, in both periods: what can be compared. */
  readonly sofar: number | null;
  readonly sofarBefore: number | null;
  /** End of the last bucket that is over. */
  readonly until: number;
}

function total(cells: readonly (number | null)[]): number | null {
  const known = cells.filter((cell) => cell !== null);
  return known.length > 0 ? known.reduce<number>((sum, cell) => sum + cell, 0) : null;
}

/** Splits one answer over two periods (`from` … `start` … now) into this and the one before, bucket for bucket. */
export function progress(answer: SeriesAnswer, point: number, start: number, now: number): Progress {
  const column = answer.points.find((one) => one.id === point)?.amount ?? [];
  const at = answer.start.findIndex((time) => time >= start);
  const split = at < 0 ? answer.start.length : at;
  const bars = column.slice(split);
  const before = column.slice(0, split);
  const ends = answer.start.map((_, i) => answer.start[i + 1] ?? answer.end).slice(split);
  const over = ends.filter((end) => end <= now).length;
  return {
    bars,
    before,
    amount: total(bars),
    sofar: total(bars.slice(0, over)),
    sofarBefore: over <= before.length && !before.slice(0, over).includes(null) ? total(before.slice(0, over)) : null,
    until: ends[over - 1] ?? start,
  };
}
