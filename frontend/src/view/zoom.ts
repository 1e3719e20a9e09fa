/** Zooming and panning as functions from window to window; the page turns the result into an address. */

import type { Period, Span } from "../time/period";
import { PERIODS } from "../time/period";
import { SHORTEST_MS } from "./address";

/** One press of a key or button. */
export const FACTOR = 2.5;

/** `span` made `factor` times smaller (or larger, below 1) with `centre` kept where it is. */
export function scaled(span: Span, factor: number, centre: number): Span {
  const length = span.to - span.from;
  const wanted = Math.max(SHORTEST_MS, length / factor);
  const share = (centre - span.from) / length;
  const from = Math.round(centre - share * wanted);
  return { from, to: from + Math.round(wanted) };
}

export function panned(span: Span, share: number): Span {
  const by = Math.round((span.to - span.from) * share);
  return { from: span.from + by, to: span.to + by };
}

/** A window no larger than `limit` and inside it. */
export function held(span: Span, limit: Span): Span {
  const length = Math.min(span.to - span.from, limit.to - limit.from);
  const from = Math.min(Math.max(span.from, limit.from), limit.to - length);
  return { from, to: from + length };
}

/** Edges moved outward to the buckets they cut, so that no bar is drawn in part. */
export function snapped(span: Span, edges: readonly number[]): Span {
  let from = span.from;
  let to = span.to;
  for (const edge of edges) if (edge <= span.from) from = edge;
  for (let i = edges.length - 1; i >= 0; i--) {
    const edge = edges[i] as number;
    if (edge >= span.to) to = edge;
  }
  return { from, to };
}

/** The next longer period, or null at ten years. */
export function longer(period: Period): Period | null {
  return PERIODS[PERIODS.indexOf(period) + 1] ?? null;
}
