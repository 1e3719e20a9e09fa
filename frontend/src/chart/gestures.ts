/** Hands that zoom: a mouse draws a range, two fingers pinch, Ctrl and wheel; knows no chart library. */

import type { Span } from "../time/period";
import type { Hands, ZoomTarget } from "./pointing";
import { pixelIn } from "./pointing";

const LEAST_DRAG_PX = 6;
const WHEEL_STEP = 1.25;
const WHEEL_REST_MS = 160;

interface Finger {
  start: number;
  now: number;
}

/** The view after two fingers moved from `a`, `b` to `c`, `d`: what was under them is under them still. */
export function pinched(view: Span, widthPx: number, a: number, b: number, c: number, d: number): Span | null {
  if (Math.abs(a - b) < 8 || Math.abs(c - d) < 8) return null;
  const length = view.to - view.from;
  const perPx = length / widthPx;
  const scale = Math.min(50, Math.max(0.02, Math.abs(a - b) / Math.abs(c - d)));
  const held = view.from + ((a + b) / 2) * perPx;
  const from = held - ((c + d) / 2) * perPx * scale;
  return { from: Math.round(from), to: Math.round(from + length * scale) };
}

function mouse(area: HTMLElement, target: ZoomTarget) {
  let from: number | null = null;
  const spanOf = (a: number, b: number): Span => {
    const { from: start, to, widthPx } = target.view();
    const at = (px: number) => Math.round(start + (px / widthPx) * (to - start));
    return { from: at(Math.min(a, b)), to: at(Math.max(a, b)) };
  };
  return {
    down(event: PointerEvent) {
      if (event.button !== 0) return;
      from = pixelIn(area, event);
      area.setPointerCapture(event.pointerId);
    },
    move(px: number) {
      target.point(px, false);
      if (from !== null && Math.abs(px - from) >= LEAST_DRAG_PX) target.select(Math.min(from, px), Math.max(from, px));
    },
    up(px: number, done: boolean) {
      if (from === null) return;
      const begun = from;
      from = null;
      target.select(null, 0);
      if (done && Math.abs(px - begun) >= LEAST_DRAG_PX) target.zoom(spanOf(begun, px));
      else if (done) target.point(px, true);
    },
    leave: () => from === null && target.point(null, false),
  };
}

function touch(target: ZoomTarget) {
  const fingers = new Map<number, Finger>();
  /** What two fingers make of the view; it is shown while they move and kept when one is lifted. */
  const wanted = (): Span | null => {
    const [one, two] = [...fingers.values()];
    const view = target.view();
    return one && two ? pinched(view, view.widthPx, one.start, two.start, one.now, two.now) : null;
  };
  const begin = () => {
    for (const finger of fingers.values()) finger.start = finger.now;
  };
  return {
    has: (id: number) => fingers.has(id),
    down(id: number, px: number) {
      fingers.set(id, { start: px, now: px });
      begin();
      target.point(fingers.size === 1 ? px : null, true);
    },
    move(id: number, px: number) {
      const finger = fingers.get(id);
      if (finger) finger.now = px;
      const span = fingers.size === 2 ? wanted() : null;
      if (span) target.show(span);
      else if (fingers.size === 1) target.point(px, true);
    },
    up(id: number, done: boolean) {
      const span = fingers.size === 2 && done ? wanted() : null;
      fingers.delete(id);
      begin();
      if (span) target.zoom(span);
    },
  };
}

function wheel(area: HTMLElement, target: ZoomTarget) {
  let span: Span | null = null;
  let timer = 0;
  return (event: WheelEvent) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const view = target.view();
    const now = span ?? view;
    const centre = now.from + (pixelIn(area, event) / view.widthPx) * (now.to - now.from);
    const factor = event.deltaY < 0 ? 1 / WHEEL_STEP : WHEEL_STEP;
    span = { from: Math.round(centre - (centre - now.from) * factor), to: Math.round(centre + (now.to - centre) * factor) };
    target.show(span);
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (span) target.zoom(span);
      span = null;
    }, WHEEL_REST_MS);
  };
}

/** Cursor and zoom with mouse, fingers and wheel. */
export const gestures: Hands = (area, target) => {
  const hand = mouse(area, target);
  const fingers = touch(target);
  const ended = new AbortController();
  const listen = <Name extends keyof HTMLElementEventMap>(name: Name, hear: (event: HTMLElementEventMap[Name]) => void) =>
    area.addEventListener(name, hear, { signal: ended.signal, passive: false });

  listen("pointerdown", (event) => {
    if (event.pointerType === "mouse") hand.down(event);
    else fingers.down(event.pointerId, pixelIn(area, event));
  });
  listen("pointermove", (event) => {
    const px = pixelIn(area, event);
    if (event.pointerType === "mouse") hand.move(px);
    else if (fingers.has(event.pointerId)) fingers.move(event.pointerId, px);
  });
  const up = (event: PointerEvent) => {
    const done = event.type === "pointerup";
    if (event.pointerType === "mouse") hand.up(pixelIn(area, event), done);
    else if (fingers.has(event.pointerId)) fingers.up(event.pointerId, done);
  };
  listen("pointerup", up);
  listen("pointercancel", up);
  listen("pointerleave", (event) => event.pointerType === "mouse" && hand.leave());
  listen("wheel", wheel(area, target));
  listen("dblclick", (event) => {
    event.preventDefault();
    target.back();
  });
  // A second finger takes the gesture from the browser; one finger leaves scrolling to it.
  const hold = (event: TouchEvent) => event.touches.length > 1 && event.preventDefault();
  listen("touchstart", hold);
  listen("touchmove", hold);
  return () => ended.abort();
};
