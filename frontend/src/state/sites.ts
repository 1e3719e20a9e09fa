/** The sites a person may see, and the one that the pages are about. */

import { computed, ref, shallowRef } from "vue";

import { askPoints, askSites } from "../api/questions";
import type { ApiPoint, Site } from "../api/types";

const STORED = "wattstead.site";

export const sites = shallowRef<readonly Site[] | null>(null);
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
    sites.value = await askSites();
    const stored = Number(localStorage.getItem(STORED));
    if (chosenId.value === null && sites.value.some((one) => one.id === stored)) chosenId.value = stored;
  }
  return sites.value;
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
}
