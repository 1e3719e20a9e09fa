import { describe, expect, it } from "vitest";

import type { TemplateRow } from "../api/templates";
import { fits, newestOf } from "../api/templates";
import { asRevision, lineOf } from "./templates";

const row = (name: string, revision: number, title = name) => ({ name, revision, title, maker: "Eastron" }) as TemplateRow;

describe("templates", () => {
  it("are listed in their newest revision, by title", () => {
    expect(newestOf([row("b", 1, "Zeta"), row("a", 2, "Beta"), row("a", 10, "Alpha")]).map((one) => `${one.name} ${one.revision}`)).toEqual(["a 10", "b 1"]);
  });

  it("are found by every word of title, name and maker", () => {
    expect(fits(row("sdm630", 1, "Eastron SDM630"), "630 east")).toBe(true);
    expect(fits(row("sdm630", 1), "630 shelly")).toBe(false);
    expect(fits(row("sdm630", 1), "")).toBe(true);
  });

  it("become another revision and keep all else", () => {
    expect(asRevision("# revision: 7\nname: a\nrevision: 1 # first\ntitle: revision: 3\n", 2)).toBe("# revision: 7\nname: a\nrevision: 2 # first\ntitle: revision: 3\n");
  });

  it("are wrong in the line that the server names", () => {
    expect(lineOf("line 12, points[2].unit")).toBe(12);
    expect(lineOf("text")).toBe(1);
  });
});
