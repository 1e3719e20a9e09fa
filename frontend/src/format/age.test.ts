import { describe, expect, it } from "vitest";

import { age } from "./age";

const NOW = Date.UTC(2026, 10, 16, 13, 2, 0);

describe("age", () => {
  it.each([
    [0, "0 sec ago"],
    [42, "42 sec ago"],
    [180, "3 min ago"],
    [3599, "59 min ago"],
    [3600, "13:02"],
    [2 * 86_400, "14 Nov 2026, 14:02"],
  ])("%d seconds are %s", (seconds, text) => {
    expect(age(NOW - seconds * 1000, NOW, "en-GB", "Europe/Paris")).toBe(text);
  });

  it("never speaks of the future", () => {
    expect(age(NOW + 5000, NOW, "en-GB", "UTC")).toBe("0 sec ago");
  });
});
