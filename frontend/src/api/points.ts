/** Questions about points beyond the first screen: how far their readings reach, as a file, changes, keys of their site. */

import type { Span } from "../time/period";
import type { Asking } from "./client";
import { address, ask } from "./client";
import type { ApiPoint, Key, NewKey, PointChange, SpanAnswer } from "./types";

/** Refused with 412 when somebody else changed it meanwhile. */
export const changePoint = (point: ApiPoint, change: PointChange) =>
  ask<ApiPoint>(`points/${point.id}`, {}, { method: "PATCH", body: change, version: `"${point.version}"` });
export const askSpan = (points: readonly number[], signal?: Asking["signal"]) => ask<SpanAnswer>("span", { points }, { signal });

export const askKeys = (site: number) => ask<Key[]>("keys", { site });
export const createKey = (site_id: number, scope: "write" | "read", name: string, plain_http = true) =>
  ask<NewKey>("keys", {}, { method: "POST", body: { site_id, scope, name, ...(scope === "write" ? { plain_http } : {}) } });
export const revokeKey = (id: number) => ask<void>(`keys/${id}`, {}, { method: "DELETE" });

/** The readings themselves as a file. */
export function readingsFile(point: number, span: Span): string {
  return address("api/v1/readings", { point, start: span.from, end: span.to, format: "csv" });
}
