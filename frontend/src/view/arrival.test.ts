import { describe, expect, it } from "vitest";

import { arrival, standing } from "./arrival";
import { point as example } from "./examples";

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 11, 1);
const point = (id: number, time: number | null, value = 1) => example({ id, latest: time === null ? null : { time, value } });

describe("the first reading", () => {
  it("is none of those that were there, nor the next of a meter that goes on", () => {
    const there = [point(1, NOW - 1000), point(2, NOW - 60 * MINUTE), point(3, null)];
    const before = standing(1, there, NOW);
    expect(arrival(there, before)).toBeNull();
    expect(arrival([point(1, NOW + 1000), ...there.slice(1)], before)).toBeNull();
  });

  it("is that of a point which had none, which is new, or which speaks again", () => {
    const before = standing(1, [point(1, NOW - 1000), point(2, NOW - 60 * MINUTE), point(3, null)], NOW);
    const beside = point(1, NOW + 5000);
    for (const came of [point(2, NOW + 1000), point(3, NOW - 90 * MINUTE), point(4, NOW)]) expect(arrival([beside, came], before)?.id).toBe(came.id);
  });

  it("is the newest where nothing was there", () => {
    expect(arrival([point(1, NOW), point(2, NOW + 1), point(3, null)], standing(1, [], NOW))?.id).toBe(2);
    expect(arrival([], standing(1, [], NOW))).toBeNull();
  });
});
