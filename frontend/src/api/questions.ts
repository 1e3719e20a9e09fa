/** Every question the screens ask, one function each. */

import type { Span } from "../time/period";
import type { Asking } from "./client";
import { address, ask } from "./client";
import type { ApiPoint, Key, Listed, NewKey, PointChange, ReadingsAnswer, SeriesAnswer, Session, Site, SpanAnswer } from "./types";

type Signal = Asking["signal"];

export const askSession = () => ask<Session>("session");
export const signIn = (email: string, password: string, code?: string) =>
  ask<Session>("session", {}, { method: "POST", body: { email, password, ...(code ? { code } : {}) } });
export const signOut = () => ask<void>("session", {}, { method: "DELETE" });

/** The first sites there were, and how many there are in all. */
export const askSites = () => ask<Site[] | Listed<Site>>("sites", { limit: 50, sort: "id" });
export const askSite = (id: number) => ask<Site>(`sites/${id}`);
export const askPoints = (site: number, signal?: Signal) => ask<ApiPoint[]>("points", { site }, { signal });
export const changePoint = (id: number, change: PointChange) =>
  ask<ApiPoint>(`points/${id}`, {}, { method: "PATCH", body: change });

/** `buckets`: the server chooses a human step; `step`: this one. */
export type Width = { readonly buckets: number } | { readonly step: string };

export function askSeries(points: readonly number[], span: Span, width: Width, signal?: Signal): Promise<SeriesAnswer> {
  return ask<SeriesAnswer>("series", { points, start: span.from, end: span.to, ...width }, { signal });
}

export function askReadings(point: number, span: Span, limit: number, signal?: Signal): Promise<ReadingsAnswer> {
  return ask<ReadingsAnswer>("readings", { point, start: span.from, end: span.to, limit }, { signal });
}

export const askSpan = (points: readonly number[], signal?: Signal) => ask<SpanAnswer>("span", { points }, { signal });

export const askKeys = (site: number) => ask<Key[]>("keys", { site });
export const createKey = (site_id: number, scope: "write" | "read", name: string) =>
  ask<NewKey>("keys", {}, { method: "POST", body: { site_id, scope, name } });
export const revokeKey = (id: number) => ask<void>(`keys/${id}`, {}, { method: "DELETE" });

/** The readings themselves as a file. */
export function readingsFile(point: number, span: Span): string {
  return address("api/v1/readings", { point, start: span.from, end: span.to, format: "csv" });
}
