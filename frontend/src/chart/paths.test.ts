import { describe, expect, it } from "vitest";

import { drawLine, runs } from "./paths";
import { pinched } from "./gestures";
import type { Trace } from "./picture";
import { nearest, nearestFilled, EMPTY_PICTURE } from "./picture";

describe("a line", () => {
  it("passes over one missing bucket but breaks at a silence", () => {
    expect(runs([0, 1, 2, 3, 10, 11], [5, null, 5, NaN, 5, 5], 3)).toEqual([[0, 2], [4, 5]]);
  });

  it("shows a lone reading", () => {
    const drawn: string[] = [];
    const pen = { moveTo: (x: number) => drawn.push(`m${x}`), lineTo: (x: number) => drawn.push(`l${x}`), closePath: () => undefined };
    drawLine(pen, { mean: [1], sign: 1 } as unknown as Trace, [7], [[0]], (x) => x, (y) => y);
    expect(drawn).toEqual(["m7", "l8"]);
  });
});

describe("the nearest", () => {
  it("is a reading on either side, or the bar that holds the instant", () => {
    expect([nearest({ x: [0, 10, 20], ends: null }, 14), nearest({ x: [0, 10, 20], ends: null }, 16)]).toEqual([1, 2]);
    expect(nearest({ x: [0, 10, 20], ends: [10, 20, 30] }, 19)).toBe(1);
    expect(nearest({ x: [], ends: null }, 5)).toBe(-1);
  });

  it("that has a value is looked for on both sides", () => {
    const trace = { mean: [1, null, null, 4] } as unknown as Trace;
    expect(nearestFilled({ ...EMPTY_PICTURE, x: [0, 10, 20, 30], traces: [trace] }, 21)).toBe(3);
    expect(nearestFilled({ ...EMPTY_PICTURE, x: [0, 10, 20, 30], traces: [trace] }, 11)).toBe(0);
  });
});

describe("two fingers", () => {
  it("keep what is under them", () => {
    expect(pinched({ from: 0, to: 1000 }, 100, 40, 60, 20, 80)).toEqual({ from: 333, to: 667 });
    expect(pinched({ from: 0, to: 1000 }, 100, 40, 60, 50, 70)).toEqual({ from: -100, to: 900 });
    expect(pinched({ from: 0, to: 1000 }, 100, 40, 41, 20, 80)).toBeNull();
  });
});
