/** Which reading is the first that came since one began to wait, at a place that may have readings already; pure. */

import type { ApiPoint } from "../api/types";

/** A point that has been silent for so long and speaks again was connected anew, ms. */
const SILENT_MS = 600_000;

/** How a site stood when the waiting began: when (ms since 1970), and of each point that had readings when its latest was. */
export interface Before {
  readonly site: number;
  readonly since: number;
  readonly latest: Readonly<Record<number, number>>;
}

export function standing(site: number, points: readonly ApiPoint[], now: number): Before {
  return { site, since: now, latest: Object.fromEntries(points.flatMap(({ id, latest }) => (latest ? [[id, latest.time]] : []))) };
}

/** The point whose reading has come since: one that had none, or had long been silent; null while there is none. */
export function arrival(points: readonly ApiPoint[], before: Before): ApiPoint | null {
  const came = points.filter(({ id, latest }) => {
    const former = before.latest[id];
    return latest && (former === undefined || (latest.time > former && former < before.since - SILENT_MS));
  });
  return came.sort((a, b) => (b.latest?.time ?? 0) - (a.latest?.time ?? 0))[0] ?? null;
}
