import { expect, it } from "vitest";

import { ownPath } from "./landing";

const HERE = "https://watt.example/below/";

it("leads back to a path of ours, with its query", () => {
  expect(ownPath("/points?q=volt#a", HERE)).toBe("/points?q=volt#a");
  expect(ownPath("/sites/4", HERE)).toBe("/sites/4");
});

it.each(["//evil.example", "/\\evil.example", "https://evil.example/", "/..//evil.example", "/\t/evil.example", "javascript:alert(1)", "", undefined, ["/a"]])(
  "never leads elsewhere: %s",
  (wanted) => expect(ownPath(wanted, HERE)).toBe("/"),
);
