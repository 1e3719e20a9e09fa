import { describe, expect, it } from "vitest";

import { barStep, bucketsFor, drawsBars, lineStep, stepSeconds } from "./form";

const days = (n: number) => ({ from: 0, to: n * 86_400_000 });

describe("the form follows the span", () => {
  it.each([
    [1, false],
    [3, false],
    [3 + 1 / 24, false],
    [4, true],
    [3650, true],
  ])("%d days as bars: %s", (n, bars) => expect(drawsBars(days(n), "auto")).toBe(bars));

  it("lets a person choose otherwise", () => {
    expect(drawsBars(days(365), "power")).toBe(false);
    expect(drawsBars(days(1), "energy")).toBe(true);
  });

  it.each([
    [1 / 24, "1min"],
    [0.5, "15min"],
    [1, "1h"],
    [31, "day"],
    [60, "day"],
    [92, "month"],
    [1096, "month"],
    [3653, "year"],
  ])("bars of %d days are a %s wide", (n, step) => expect(barStep(days(n))).toBe(step));
});

describe("buckets of a line", () => {
  it("are about one for two device pixels, at most 1,600", () => {
    expect([bucketsFor(360, 2), bucketsFor(1200, 1), bucketsFor(2400, 3)]).toEqual([360, 600, 1600]);
  });

  it.each([
    [10 / 1440, 600, "1s"],
    [1, 900, "1min"],
    [1, 288, "5min"],
    [31, 600, "1h"],
    [3653, 1600, "week"],
  ])("%d days in about %d buckets: %s", (n, buckets, step) => expect(lineStep(days(n), buckets)).toBe(step));

  it("are never more than 1,600, nor shorter than asked for", () => {
    for (let n = 0.001; n < 4000; n *= 1.37) {
      const step = stepSeconds(lineStep(days(n), 1600));
      expect((n * 86_400) / step).toBeLessThanOrEqual(1600);
    }
    expect(lineStep(days(0.01), 1600, 60)).toBe("1min");
  });
});
