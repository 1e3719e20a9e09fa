import { describe, expect, it } from "vitest";

import type { View } from "./address";
import { DEFAULT_VIEW, parseView, viewQuery } from "./address";

const FULL: View = {
  period: "month",
  day: { year: 2026, month: 11, day: 1 },
  window: { from: Date.UTC(2026, 10, 16, 10, 15), to: Date.UTC(2026, 10, 16, 10, 20, 0, 250) },
  compare: ["previous", "year"],
  form: "power",
  site: 2,
  points: [3, 11],
};

describe("the address of a view", () => {
  it("gives the same view again", () => {
    expect(parseView(viewQuery(FULL))).toEqual(FULL);
    expect(parseView(viewQuery(DEFAULT_VIEW))).toEqual(DEFAULT_VIEW);
  });

  it("can be read by people", () => {
    expect(viewQuery(FULL)).toEqual({
      site: "2",
      p: "month",
      d: "2026-11-01",
      from: "2026-11-16T10:15:00Z",
      to: "2026-11-16T10:20:00.250Z",
      cmp: "previous,year",
      as: "power",
      points: "3,11",
    });
  });

  it.each([
    { p: "fortnight" },
    { d: "yesterday" },
    { from: "2026-11-16T10:15:00Z" },
    { from: "2026-11-16T10:15:00Z", to: "2026-11-16T10:15:01Z" },
    { from: "2026-11-16T10:15:00Z", to: "9999-01-01T00:00:00Z" },
    { from: "'; drop", to: "<script>" },
    { cmp: "moon" },
    { as: "pie" },
    { site: "-1" },
    { points: "1,two" },
    { points: "" },
    { site: ["x", "2"] },
  ])("falls back part by part: %o", (query) => {
    expect(parseView(query)).toEqual(DEFAULT_VIEW);
  });
});
