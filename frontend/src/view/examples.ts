/** A point and answers as the server gives them, for tests. */

import type { ApiPoint, SeriesAnswer, SeriesPoint } from "../api/types";

export const HOUR_MS = 3_600_000;

export function point(more: Partial<ApiPoint> = {}): ApiPoint {
  return {
    id: 1,
    version: 1,
    site_id: 1,
    device_id: null,
    name: `p${more.id ?? 1}`,
    label: `p${more.id ?? 1}`,
    address: `p${more.id ?? 1}`,
    quantity: "electricity",
    kind: "gauge",
    direction: "none",
    unit: "W",
    base_unit: "W",
    amount_unit: "Wh",
    role: "home",
    adopted: true,
    resolution: 0,
    width: 0,
    max_rate: 0,
    max_gap_s: 1800,
    pulses_per_kwh: 0,
    open_to: "",
    suggestion: null,
    latest: null,
    created: 0,
    retired: null,
    ...more,
  };
}

/** Hourly buckets of power with sixty readings each; null where nothing was read. */
export function column(mean: (number | null)[], more: Partial<SeriesPoint> = {}): SeriesPoint {
  const filled = mean.filter((value) => value !== null);
  return {
    id: 1,
    unit: "W",
    count: mean.map((value) => (value === null ? 0 : 60)),
    min: mean.map((value) => (value === null ? null : value - 10)),
    mean,
    max: mean.map((value) => (value === null ? null : value + 10)),
    first: mean,
    last: mean,
    amount: mean,
    amount_unit: "Wh",
    amount_total: filled.reduce<number>((sum, value) => sum + value, 0),
    flags: mean.map(() => 0),
    readings: 60 * filled.length,
    ...more,
  };
}

export function answer(columns: SeriesPoint[], startMs: number, zone = "Europe/Berlin"): SeriesAnswer {
  const buckets = columns[0]?.mean.length ?? 0;
  const start = Array.from({ length: buckets }, (_, i) => startMs + i * HOUR_MS);
  return { zone, step: "1h", step_s: 3600, start, end: startMs + buckets * HOUR_MS, points: columns };
}
