/** Questions of the first screen, one function each. */

import type { Span } from "../time/period";
import type { Asking } from "./client";
import { ask } from "./client";
import type { ApiPoint, Listed, ReadingsAnswer, SeriesAnswer, Session, Site } from "./types";

type Signal = Asking["signal"];

export const askSession = () => ask<Session>("session");
export const signIn = (email: string, password: string, code?: string) =>
  ask<Session>("session", {}, { method: "POST", body: { email, password, ...(code ? { code } : {}) } });
export const signOut = () => ask<void>("session", {}, { method: "DELETE" });

/** The first sites there were, and how many there are in all. */
export const askSites = () => ask<Site[] | Listed<Site>>("sites", { limit: 50, sort: "id" });
export const askSite = (id: number) => ask<Site>(`sites/${id}`);

const POINTS_PAGE = 5_000;

/** Every point of a site, however many there are: asked for page by page. */
export async function askPoints(site: number, signal?: Signal): Promise<ApiPoint[]> {
  const found: ApiPoint[] = [];
  for (;;) {
    const after = found.at(-1)?.id ?? 0;
    const page = await ask<ApiPoint[]>("points", { site, limit: POINTS_PAGE, after }, { signal });
    found.push(...page);
    if (page.length < POINTS_PAGE) return found;
  }
}

/** `buckets`: the server chooses a human step; `step`: this one. */
export type Width = { readonly buckets: number } | { readonly step: string };

export function askSeries(points: readonly number[], span: Span, width: Width, signal?: Signal): Promise<SeriesAnswer> {
  return ask<SeriesAnswer>("series", { points, start: span.from, end: span.to, ...width }, { signal });
}

export function askReadings(point: number, span: Span, limit: number, signal?: Signal): Promise<ReadingsAnswer> {
  return ask<ReadingsAnswer>("readings", { point, start: span.from, end: span.to, limit }, { signal });
}
