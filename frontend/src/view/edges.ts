/** What of an edge is computed for the page: how it stands, how long and how much waits, the lines by which it joins. */

import type { Edge, EdgeRule } from "../api/edges";
import { NARROW } from "../format/number";

export type Standing = "unjoined" | "off" | "silent" | "behind" | "running";
/** Readings that wait for longer are behind; what is sent every few seconds is not. */
const BEHIND_S = 120;

export function standing(edge: Pick<Edge, "joined" | "enabled" | "silent"> & { readonly sight: Pick<Edge["sight"], "behind_s"> }): Standing {
  if (!edge.joined) return "unjoined";
  if (!edge.enabled) return "off";
  if (edge.silent) return "silent";
  return edge.sight.behind_s > BEHIND_S ? "behind" : "running";
}

/** A length of time in one unit: `40 s`, `5 min`, `3 h`, `2 d`. */
export function lasting(seconds: number, locale: string): string {
  const [unit, size] = seconds < 90 ? (["second", 1] as const) : seconds < 5400 ? (["minute", 60] as const) : seconds < 172_800 ? (["hour", 3600] as const) : (["day", 86_400] as const);
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 }).format(seconds / size);
}

/** Bytes in kB, MB or GB. */
export function sized(bytes: number, locale: string): string {
  const [unit, size] = bytes >= 1e9 ? ["GB", 1e9] as const : bytes >= 1e6 ? ["MB", 1e6] as const : ["kB", 1e3] as const;
  return `${(bytes / size).toLocaleString(locale, { maximumSignificantDigits: 3 })}${NARROW}${unit}`;
}

/** What to enter on the machine. */
export function joinLines(code: string, base: string = document.baseURI): string {
  const server = new URL(".", base).href.replace(/\/$/, "");
  return `pip install 'wattstead[edge]'\nwattstead edge join ${server} ${code}\nwattstead edge run`;
}

/** A new line of the pre-processing. */
export function lineOf(treatment: EdgeRule["treatment"] = "average"): EdgeRule {
  return { pattern: "*", treatment, factor: 1, offset: 0, band: 0, every_s: treatment === "average" ? 60 : 0 };
}
