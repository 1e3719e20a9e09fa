/** Token colours for the canvas: read from the page, tinted, hatched; the only place that does it. */

import type { Look } from "./picture";

let cache = new Map<string, string | CanvasPattern>();

/** Forget what was read: the theme changed. */
export function forgetInk(): void {
  cache = new Map();
}

/** The colour of a token, such as `--solar`, optionally as a tint. */
export function ink(token: string, alpha = 1): string {
  const key = `${token} ${alpha}`;
  let found = cache.get(key);
  if (typeof found !== "string") {
    const hex = getComputedStyle(document.documentElement).getPropertyValue(token).trim();
    found = alpha === 1 ? hex : tint(hex, alpha);
    cache.set(key, found);
  }
  return found;
}

/** `#RRGGBB` with an alpha from 0 to 1. */
export function tint(hex: string, alpha: number): string {
  const number = Number.parseInt(hex.slice(1), 16);
  return `rgba(${(number >> 16) & 255}, ${(number >> 8) & 255}, ${number & 255}, ${alpha})`;
}

/** What a bar of that look is filled with. */
export function barInk(look: Look, pixelRatio: number): string | CanvasPattern {
  if (look.pattern === "solid") return ink(look.token);
  const key = `${look.token} ${look.pattern} ${pixelRatio}`;
  let found = cache.get(key);
  if (!found) {
    found = patternOf(look, pixelRatio) ?? ink(look.token, 0.5);
    cache.set(key, found);
  }
  return found;
}

function patternOf(look: Look, pixelRatio: number): CanvasPattern | null {
  const size = Math.round(6 * pixelRatio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  if (!pen) return null;
  pen.fillStyle = ink(look.token, 0.17);
  pen.fillRect(0, 0, size, size);
  pen.fillStyle = pen.strokeStyle = ink(look.token);
  if (look.pattern === "dots") {
    pen.beginPath();
    pen.arc(size / 2, size / 2, size * 0.22, 0, 2 * Math.PI);
    pen.fill();
  } else {
    hatch(pen, size, size * 0.3);
  }
  return pen.createPattern(tile, "repeat");
}

function hatch(pen: CanvasRenderingContext2D, size: number, width: number): void {
  pen.lineWidth = width;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift - 1, size + 1);
    pen.lineTo(shift + size + 1, -1);
  }
  pen.stroke();
}

/** The hatch that marks where nothing was read. */
export function missingInk(pixelRatio: number): string | CanvasPattern {
  return barInk({ token: "--muted", pattern: "hatch" }, pixelRatio);
}

const DASHES: Readonly<Record<Look["pattern"], readonly number[]>> = { solid: [], hatch: [8, 4], dots: [2, 4] };

/** Lines of one colour differ by dash; a compared period has its own. */
export function dashOf(look: Look, compare: "previous" | "year" | null): number[] {
  if (compare === "previous") return [6, 5];
  if (compare === "year") return [2, 4];
  return [...(DASHES[look.pattern] ?? [])];
}
