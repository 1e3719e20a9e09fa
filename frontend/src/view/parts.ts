/** Which part of a home a point stands for: its colour, its sign, its place in the order; pure. */

import type { Look, Pattern } from "../chart/picture";
import type { ApiPoint } from "../api/types";

export type Role = "home" | "grid" | "export" | "solar" | "battery" | "ev" | "appliance" | "none";

const ORDER: readonly Role[] = ["home", "solar", "grid", "export", "battery", "ev", "appliance", "none"];
const TOKENS: Readonly<Record<Role, string>> = {
  home: "--home",
  grid: "--grid",
  export: "--export",
  solar: "--solar",
  battery: "--battery",
  ev: "--ev",
  appliance: "--ev",
  none: "--accent",
};
const PATTERNS: readonly Pattern[] = ["solid", "hatch", "dots"];
const ENERGY_UNITS = new Set(["W", "Wh"]);

/** Series drawn at the same time; a seventh is not offered. */
export const MOST_SERIES = 6;

export function roleOf(point: Pick<ApiPoint, "role">): Role {
  return (ORDER as readonly string[]).includes(point.role) ? (point.role as Role) : "none";
}

/** Power and energy share one chart; everything else has a chart for each unit. */
export function family(point: Pick<ApiPoint, "base_unit">): string {
  return ENERGY_UNITS.has(point.base_unit) ? "energy" : point.base_unit;
}

/** True when the point has energy or another amount: counters, amounts, power. */
export function hasAmount(point: Pick<ApiPoint, "amount_unit">): boolean {
  return point.amount_unit !== null;
}

/** Power as it is read, not made from a counter. */
export function isPower(point: Pick<ApiPoint, "kind" | "base_unit">): boolean {
  return point.base_unit === "W" && (point.kind === "gauge" || point.kind === "mean");
}

export function signOf(point: Pick<ApiPoint, "role" | "direction">): 1 | -1 {
  return point.role === "export" || point.direction === "export" ? -1 : 1;
}

/** Points in the order of a home: home, solar, grid … then by name. */
export function ordered<P extends Pick<ApiPoint, "role" | "label">>(points: readonly P[]): P[] {
  return [...points].sort(
    (a, b) => ORDER.indexOf(roleOf(a)) - ORDER.indexOf(roleOf(b)) || a.label.localeCompare(b.label, undefined, { numeric: true }),
  );
}

/** One look for each point, the same on every screen: colour by role, pattern by place among its kind; export is dashed. */
export function looks(points: readonly ApiPoint[]): Map<number, Look> {
  const seen = new Map<string, number>();
  const found = new Map<number, Look>();
  for (const point of [...points].sort((a, b) => a.id - b.id)) {
    const token = TOKENS[roleOf(point)];
    const kind = `${token} ${family(point)}`;
    const place = seen.get(kind) ?? 0;
    seen.set(kind, place + 1);
    const first = roleOf(point) === "export" ? 1 : 0;
    found.set(point.id, { token, pattern: PATTERNS[(place + first) % PATTERNS.length] ?? "solid" });
  }
  return found;
}

/** What a site shows by itself: the parts of the home that have a role, else its first points. */
export function mainPoints(points: readonly ApiPoint[]): ApiPoint[] {
  const energy = ordered(points.filter((point) => family(point) === "energy"));
  const parts = energy.filter((point) => !["appliance", "none"].includes(roleOf(point)));
  const chosen: ApiPoint[] = [];
  for (const point of parts) {
    const rival = chosen.findIndex((other) => other.role === point.role && other.direction === point.direction);
    if (rival < 0) chosen.push(point);
    else if (isPower(point) && !isPower(chosen[rival] as ApiPoint)) chosen[rival] = point;
  }
  if (chosen.length > 0) return chosen.slice(0, MOST_SERIES);
  return (energy.length > 0 ? energy : ordered(points)).slice(0, 1);
}
