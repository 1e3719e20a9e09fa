import { describe, expect, it } from "vitest";

import { calmer, niceStep, valueAxis } from "./scale";

describe("the value axis", () => {
  it.each([
    [0.7, 1],
    [1.2, 2],
    [2.1, 2.5],
    [3, 5],
    [60, 100],
  ])("a step of at least %d is %d", (rough, nice) => expect(niceStep(rough)).toBe(nice));

  it("holds zero in view for power and energy", () => {
    const axis = valueAxis([800, 950], "W", true, 300);
    expect(axis.min).toBe(0);
    expect(axis.ticks).toContain(0);
    expect(valueAxis([-900, 1200], "W", true, 300).ticks).toContain(0);
  });

  it("need not hold zero for a temperature", () => {
    expect(valueAxis([19, 22], "°C", false, 300).min).toBeGreaterThan(10);
  });

  it("gives all ticks one unit and as many decimals as they need", () => {
    const axis = valueAxis([0, 2300], "W", true, 300);
    expect([axis.scaled.symbol, axis.tickDecimals]).toEqual(["kW", 1]);
  });

  it("stays while live values fit, and follows when they do not", () => {
    const before = valueAxis([0, 900], "W", true, 300);
    expect(calmer(before, valueAxis([0, 700], "W", true, 300))).toBe(before);
    expect(calmer(before, valueAxis([0, 1700], "W", true, 300))).not.toBe(before);
    expect(calmer(before, valueAxis([0, 100], "W", true, 300))).not.toBe(before);
  });
});
