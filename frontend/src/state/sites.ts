/** The sites a person may see, and the one that the pages are about. */

import { computed, ref, shallowRef } from "vue";

import { askPoints, askSite, askSites } from "../api/questions";
import type { ApiPoint, Site } from "../api/types";

const STORED = "wattstead.site";

/** The first that there were, and those that were chosen from elsewhere. */
export const sites = shallowRef<readonly Site[] | null>(null);
/** How many there are in all. */
export const siteTotal = ref(0);
const chosenId = ref<number | null>(null);

export const site = computed<Site | null>(() => {
  const all = sites.value ?? [];
  return all.find((one) => one.id === chosenId.value) ?? all[0] ?? null;
});

/** Points of the chosen site, as last told; null before the first answer. Replaced as a whole, never reactive inside. */
export const points = shallowRef<readonly ApiPoint[] | null>(null);
let pointsOf = 0;

export async function knowSites(): Promise<readonly Site[]> {
  if (!sites.value) {
    const told = await askSites();
    const rows = "rows" in told ? told.rows : told;
    siteTotal.value = "rows" in told ? told.total : told.length;
    sites.value = rows;
    const stored = Number(localStorage.getItem(STORED));
    if (chosenId.value === null && stored) await findSite(stored).then(chooseSite, () => false);
  }
  return sites.value;
}

/** Brings a site that is not among the first, so that it can be chosen; its id. */
export async function findSite(id: number): Promise<number> {
  if (!(await knowSites()).some((one) => one.id === id)) sites.value = [...(sites.value ?? []), await askSite(id)];
  return id;
}

/** Makes the pages speak of that site; false when there is none of that id. */
export function chooseSite(id: number): boolean {
  if (!sites.value?.some((one) => one.id === id)) return false;
  if (site.value?.id !== id) points.value = null;
  chosenId.value = id;
  localStorage.setItem(STORED, String(id));
  return true;
}

/** Asks for the points of the chosen site again; an answer that comes after the site changed is dropped. */
export async function refreshPoints(signal?: AbortSignal): Promise<readonly ApiPoint[]> {
  await knowSites();
  const of = site.value?.id;
  if (of === undefined) return (points.value = []);
  if (pointsOf !== of) points.value = null;
  const told = await askPoints(of, signal);
  if (site.value?.id === of) {
    points.value = told;
    pointsOf = of;
  }
  return told;
}

/** Points already here, or asked for. */
export async function knowPoints(): Promise<readonly ApiPoint[]> {
  await knowSites();
  return points.value && pointsOf === site.value?.id ? points.value : refreshPoints();
}

export function replacePoint(point: ApiPoint): void {
  points.value = points.value?.map((one) => (one.id === point.id ? { ...one, ...point } : one)) ?? null;
}

/** Signed out: nothing of the last person stays. */
export function forgetSites(): void {
  sites.value = null;
  points.value = null;
  chosenId.value = null;
  pointsOf = 0;
  siteTotal.value = 0;
}
