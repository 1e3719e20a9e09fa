import { describe, expect, it } from "vitest";

import { LiveBuffer } from "./buffer";

describe("the live buffer", () => {
  it("keeps time in order, whatever comes late or twice", () => {
    const buffer = new LiveBuffer(2, 8);
    for (const [time, column, value] of [[10, 0, 1], [30, 0, 3], [20, 0, 2], [30, 1, 33], [20, 0, 22]] as const) buffer.put(time, column, value);
    expect([...buffer.times()]).toEqual([10, 20, 30]);
    expect([...buffer.column(0)]).toEqual([1, 22, 3]);
    expect([...buffer.column(1)]).toEqual([NaN, NaN, 33]);
  });

  it("holds the newest rows for ever in the same memory", () => {
    const buffer = new LiveBuffer(1, 100);
    for (let i = 0; i < 12_345; i++) buffer.put(i, 0, i * 2);
    expect(buffer.length).toBe(100);
    expect([buffer.times()[0], buffer.lastTime, buffer.column(0)[99]]).toEqual([12_245, 12_344, 24_688]);
  });

  it("drops what left the picture but one, so that the line enters from the edge", () => {
    const buffer = new LiveBuffer(1, 100);
    for (let i = 0; i < 10; i++) buffer.put(i * 10, 0, i);
    buffer.dropBefore(45);
    expect([...buffer.times()]).toEqual([40, 50, 60, 70, 80, 90]);
  });
});
