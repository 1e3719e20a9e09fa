import { describe, expect, it } from "vitest";

import { change, inUnit, quantity, scaleOf } from "./number";

const N = "\u202f";

describe("three figures", () => {
  it.each([
    [0, "W", `0${N}W`],
    [0.004, "W", `0${N}W`],
    [8, "W", `8${N}W`],
    [8.25, "W", `8.25${N}W`],
    [81.26, "W", `81.3${N}W`],
    [940, "W", `940${N}W`],
    [999.4, "W", `999${N}W`],
    [999.6, "W", `1.00${N}kW`],
    [1240, "W", `1.24${N}kW`],
    [9996, "W", `10.0${N}kW`],
    [12_400, "W", `12.4${N}kW`],
    [99_960, "Wh", `100${N}kWh`],
    [124_000, "Wh", `124${N}kWh`],
    [1_240_000, "W", `1.24${N}MW`],
    [-3500, "Wh", `\u22123.50${N}kWh`],
    [238.44, "V", `238.4${N}V`],
    [-3.06, "°C", `\u22123.1${N}°C`],
    [50.012, "Hz", `50.01${N}Hz`],
    [512, "", "512"],
    [0.97, "", "0.97"],
    [1500, "pulse", `1,500${N}imp`],
  ])("%d %s is %s", (value, unit, text) => {
    expect(quantity(value, unit, "en-GB")).toBe(text);
  });

  it("writes no value as an en dash, never as zero", () => {
    for (const none of [null, undefined, NaN, Infinity]) expect(quantity(none, "W", "en")).toBe("–");
  });

  it("uses the separators of the language", () => {
    expect(quantity(1240, "W", "de")).toBe(`1,24${N}kW`);
  });

  it("gives a change its sign", () => {
    expect(quantity(600, "Wh", "en", true)).toBe(`+600${N}Wh`);
    expect(quantity(-600, "Wh", "en", true)).toBe(`\u2212600${N}Wh`);
  });
});

describe("one unit for a column", () => {
  it("keeps unit and decimals", () => {
    const scaled = scaleOf(12_400, "W");
    expect([0, 940, 12_400].map((value) => inUnit(value, scaled, "en"))).toEqual([`0.0${N}kW`, `0.9${N}kW`, `12.4${N}kW`]);
  });
});

describe("change in percent", () => {
  it.each([
    [88, 100, `\u221212${N}%`],
    [103, 100, `+3.0${N}%`],
    [100, 100, `0.0${N}%`],
    [10, 0, "–"],
  ])("%d against %d is %s", (now, before, text) => {
    expect(change(now, before, "en")).toBe(text);
  });
});
