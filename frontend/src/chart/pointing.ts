/** Moving the cursor with mouse or finger, and what a chart offers to hands that zoom as well. */

import type { Span } from "../time/period";

/** A chart as seen by the hands on it; pixels count from the left edge of the picture. */
export interface ZoomTarget {
  view(): Span & { readonly widthPx: number };
  /** Null when the pointer left. */
  point(px: number | null, pinned: boolean): void;
  /** The range being drawn; null when it is over. */
  select(fromPx: number | null, toPx: number): void;
  /** Shows a moved view while the hands still move. */
  show(span: Span): void;
  zoom(span: Span): void;
  back(): void;
}

/** Listens on the picture; returns what undoes it. */
export type Hands = (area: HTMLElement, target: ZoomTarget) => () => void;

export function pixelIn(area: HTMLElement, event: { readonly clientX: number }): number {
  const box = area.getBoundingClientRect();
  return Math.min(Math.max(event.clientX - box.left, 0), box.width);
}

/** The cursor alone: it follows the mouse, and stays where a finger put it. */
export function pointing(area: HTMLElement, point: ZoomTarget["point"]): () => void {
  const move = (event: PointerEvent) => point(pixelIn(area, event), event.pointerType !== "mouse");
  const leave = (event: PointerEvent) => event.pointerType === "mouse" && point(null, false);
  area.addEventListener("pointerdown", move);
  area.addEventListener("pointermove", move);
  area.addEventListener("pointerleave", leave);
  return () => {
    area.removeEventListener("pointerdown", move);
    area.removeEventListener("pointermove", move);
    area.removeEventListener("pointerleave", leave);
  };
}
