/** Mouse, touch and wheel on a chart as five words: point, select, pinch, back, wheel; knows no chart library. */

export interface GestureTarget {
  /** The cursor follows; null when the pointer left. */
  point(px: number | null, pinned: boolean): void;
  /** While a mouse draws a range, then once with `done`. */
  select(fromPx: number, toPx: number, done: boolean): void;
  /** Two fingers: `a` and `b` are where they began, `c` and `d` where they are; once more with `done`. */
  pinch(a: number, b: number, c: number, d: number, done: boolean): void;
  back(): void;
  /** Ctrl and wheel; `steps` above zero zooms in. */
  wheel(px: number, steps: number): void;
}

const LEAST_DRAG_PX = 6;

/** Listens on `area` (the picture without its axes); returns what undoes it. */
export function gestures(area: HTMLElement, target: GestureTarget): () => void {
  const fingers = new Map<number, { start: number; now: number }>();
  let mouseFrom: number | null = null;

  const at = (event: { clientX: number }) => {
    const box = area.getBoundingClientRect();
    return Math.min(Math.max(event.clientX - box.left, 0), box.width);
  };

  const pinch = (done: boolean) => {
    const [one, two] = [...fingers.values()];
    if (one && two) target.pinch(one.start, two.start, one.now, two.now, done);
  };

  const down = (event: PointerEvent) => {
    if (event.pointerType === "mouse") {
      if (event.button !== 0) return;
      mouseFrom = at(event);
      area.setPointerCapture(event.pointerId);
      return;
    }
    fingers.set(event.pointerId, { start: at(event), now: at(event) });
    for (const finger of fingers.values()) finger.start = finger.now;
    target.point(fingers.size === 1 ? at(event) : null, true);
  };

  const move = (event: PointerEvent) => {
    const px = at(event);
    const finger = fingers.get(event.pointerId);
    if (finger) {
      finger.now = px;
      if (fingers.size === 2) pinch(false);
      else if (fingers.size === 1) target.point(px, true);
      return;
    }
    if (event.pointerType !== "mouse") return;
    target.point(px, false);
    if (mouseFrom !== null && Math.abs(px - mouseFrom) >= LEAST_DRAG_PX) target.select(mouseFrom, px, false);
  };

  const up = (event: PointerEvent) => {
    if (fingers.has(event.pointerId)) {
      if (fingers.size === 2 && event.type === "pointerup") pinch(true);
      fingers.delete(event.pointerId);
      for (const finger of fingers.values()) finger.start = finger.now;
      return;
    }
    if (mouseFrom === null) return;
    const from = mouseFrom;
    const px = at(event);
    mouseFrom = null;
    if (event.type === "pointerup" && Math.abs(px - from) >= LEAST_DRAG_PX) target.select(from, px, true);
    else if (event.type === "pointerup") target.point(px, true);
  };

  const leave = (event: PointerEvent) => {
    if (event.pointerType === "mouse" && mouseFrom === null) target.point(null, false);
  };

  const wheel = (event: WheelEvent) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    target.wheel(at(event), -Math.sign(event.deltaY));
  };

  /** A second finger takes the gesture from the browser; one finger leaves scrolling to it. */
  const touch = (event: TouchEvent) => {
    if (event.touches.length > 1) event.preventDefault();
  };

  const back = (event: MouseEvent) => {
    event.preventDefault();
    target.back();
  };

  area.addEventListener("pointerdown", down);
  area.addEventListener("pointermove", move);
  area.addEventListener("pointerup", up);
  area.addEventListener("pointercancel", up);
  area.addEventListener("pointerleave", leave);
  area.addEventListener("dblclick", back);
  area.addEventListener("wheel", wheel, { passive: false });
  area.addEventListener("touchstart", touch, { passive: false });
  area.addEventListener("touchmove", touch, { passive: false });
  return () => {
    area.removeEventListener("pointerdown", down);
    area.removeEventListener("pointermove", move);
    area.removeEventListener("pointerup", up);
    area.removeEventListener("pointercancel", up);
    area.removeEventListener("pointerleave", leave);
    area.removeEventListener("dblclick", back);
    area.removeEventListener("wheel", wheel);
    area.removeEventListener("touchstart", touch);
    area.removeEventListener("touchmove", touch);
  };
}
