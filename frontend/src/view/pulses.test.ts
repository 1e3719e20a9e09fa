import { expect, test } from "vitest";

import { Blinks, intervalsOf, isGap, powerLine, powerOf } from "./pulses";

test("power follows from the milliseconds between two blinks", () => {
  expect(powerOf(1000, 3600)).toBe(1000);
  expect(powerOf(600, 6000)).toBe(1000);
  expect(powerOf(0, 6000)).toBeNaN();
  expect(powerOf(600, 0)).toBeNaN();
});

test("a line breaks where blinks are missing, and only there", () => {
  const line = powerLine([10_000, 13_600, 60_000, 63_700], [3600, 3600, 3600, 3600], 1000);
  expect(Array.from(line.x)).toEqual([10_000, 13_600, 13_601, 60_000, 63_700]);
  expect(Array.from(line.power)).toEqual([1000, 1000, NaN, 1000, 1000]);
  expect(isGap(0, 100_500, 100_000)).toBe(false);
  expect(isGap(0, 106_000, 100_000)).toBe(true);
  expect(powerLine([], [], 1000).x).toHaveLength(0);
});

test("a meter's two points are known by their addresses", () => {
  expect(intervalsOf("pulse/2/blinks")).toBe("pulse/2/ms");
  expect(intervalsOf("emon/5/1")).toBe("");
});

test("blinks are kept once, in order, and no longer than wanted", () => {
  const blinks = new Blinks();
  for (const [stamp, ms] of [[13_600, 3600], [10_000, 3600], [13_600, 1800]] as const) blinks.put(stamp, ms);
  expect(Array.from(blinks.line(0, 1000).power)).toEqual([1000, 2000]);
  expect(Array.from(blinks.line(11_000, 1000).x)).toEqual([13_600]);
  expect(Array.from(blinks.line(0, 1000).x)).toEqual([13_600]);
});
