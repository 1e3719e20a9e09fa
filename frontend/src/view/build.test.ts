import { describe, expect, it } from "vitest";

import type { ApiPoint } from "../api/types";
import { gapOf, missingSpans } from "../chart/gaps";
import { Zone } from "../time/zone";
import { barPicture, linePicture, powerOf, readingsPicture } from "./build";
import { answer as answered, column, HOUR_MS as HOUR, point } from "./examples";
import { progress } from "./home";
import { looks } from "./parts";
import { differenceOf, summaryOf } from "./summary";

const ZONE = new Zone("Europe/Berlin");
const T0 = ZONE.instant(2026, 11, 16);

const answer = (columns: Parameters<typeof answered>[0], start = T0) => answered(columns, start);
const drawing = (points: ApiPoint[]) => ({ points, looks: looks(points), zone: ZONE, now: T0 + 100 * HOUR });
const span = { from: T0, to: T0 + 4 * HOUR };

describe("a line", () => {
  it("stands in the middle of its buckets, with its band", () => {
    const picture = linePicture(answer([column([100, 200, null, 400])]), drawing([point()]), span);
    expect(picture.x[0]).toBe(T0 + HOUR / 2);
    expect(picture.traces[0]?.low?.[1]).toBe(190);
    expect(picture.unit).toBe("W");
  });

  it("breaks and is hatched where a bucket is empty although readings come often", () => {
    const picture = linePicture(answer([column([100, 200, null, 400])]), drawing([point()]), span);
    expect(picture.gapMs).toBeLessThan(2 * HOUR);
    expect(picture.missing).toEqual([{ from: T0 + 1.5 * HOUR, to: T0 + 3.5 * HOUR }]);
  });

  it("draws a counter as the power it makes", () => {
    const register = point({ kind: "register", unit: "kWh", base_unit: "Wh" });
    expect(powerOf(column([1500]), register, [T0], [T0 + HOUR / 2])).toEqual([3000]);
  });

  it("puts export below zero", () => {
    const sold = point({ role: "export", direction: "export" });
    expect(linePicture(answer([column([100])]), drawing([sold]), span).traces[0]?.sign).toBe(-1);
  });

  it("lays a compared day on this one by the local clock", () => {
    const before = answer([column([1, 2, 3, 4])], ZONE.instant(2026, 11, 15));
    const compared = { compare: "previous" as const, answer: before, shift: { days: 1, months: 0 } };
    const picture = linePicture(answer([column([100, 200, 300, 400])]), drawing([point()]), span, [compared]);
    expect(Array.from(picture.traces[1]?.mean ?? [])).toEqual([1, 2, 3, 4]);
    expect(picture.traces[1]?.compare).toBe("previous");
  });
});

describe("bars", () => {
  it("are amounts from start to end, and mark what was not read", () => {
    const picture = barPicture(answer([column([100, null, 300])]), drawing([point()]), { from: T0, to: T0 + 3 * HOUR });
    expect([picture.x[0], picture.ends?.[2]]).toEqual([T0, T0 + 3 * HOUR]);
    expect(picture.missing).toEqual([{ from: T0 + HOUR, to: T0 + 2 * HOUR }]);
  });

  it("leave out what has no amount", () => {
    const voltage = column([230], { amount: [], amount_unit: null, amount_total: null });
    expect(barPicture(answer([voltage]), drawing([point({ amount_unit: null })]), span).traces).toEqual([]);
  });
});

describe("single readings", () => {
  it("share one axis of times", () => {
    const other = point({ id: 2, name: "Roof", role: "solar" });
    const picture = readingsPicture(
      [
        { point: 1, unit: "W", time: [T0, T0 + 2000], value: [1, 2], quality: [1, 1], more: false },
        { point: 2, unit: "W", time: [T0 + 1000], value: [5], quality: [1], more: false },
      ],
      drawing([point(), other]),
      { from: T0, to: T0 + 3000 },
    );
    expect(Array.from(picture.x as number[])).toEqual([T0, T0 + 1000, T0 + 2000]);
    expect(Array.from(picture.traces[1]?.mean as Float64Array)).toEqual([NaN, 5, NaN]);
  });
});

describe("gaps", () => {
  it("are silences of three usual intervals", () => {
    const times = [0, 60, 120, 180, 400, 460].map((s) => s * 1000);
    expect(gapOf(times, () => true, 0)).toBeGreaterThanOrEqual(180_000);
  });

  it("at the end count up to the present only", () => {
    expect(missingSpans([0, 10], () => true, 15, 0, 100)).toEqual([{ from: 10, to: 100 }]);
    expect(missingSpans([0, 10], () => true, 15, 0, 20)).toEqual([]);
  });
});

describe("figures", () => {
  it("name the greatest reading and when it was", () => {
    expect(summaryOf(answer([column([100, 900, 300])]), 1)).toMatchObject({ max: 910, maxAt: T0 + HOUR, amount: 1300 });
  });

  it("compare only what is over and known on both sides", () => {
    const before = { compare: "previous" as const, answer: answer([column([50, 50, 50, 50])], ZONE.instant(2026, 11, 15)), shift: { days: 1, months: 0 } };
    const now = answer([column([100, 100, 100, 100])]);
    expect(differenceOf(now, before, point(), T0 + 2.5 * HOUR, ZONE)).toEqual({ now: 200, before: 100, partial: true });
    const holes = { ...before, answer: answer([column([50, null, null, null])], ZONE.instant(2026, 11, 15)) };
    expect(differenceOf(now, holes, point(), T0 + 100 * HOUR, ZONE)).toBeNull();
  });

  it("split two periods at the start of this one", () => {
    const both = answer([column([10, 20, 30, 40])]);
    expect(progress(both, 1, T0 + 2 * HOUR, T0 + 3.5 * HOUR)).toEqual({
      bars: [30, 40], before: [10, 20], amount: 70, sofar: 30, sofarBefore: 10, until: T0 + 3 * HOUR,
    });
  });
});
