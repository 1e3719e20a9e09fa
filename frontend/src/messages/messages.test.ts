import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { ENGLISH, FRENCH, GERMAN } from "./all";
import { faults } from "./faults";
import { stretched } from "./pseudo";

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.(vue|ts)$/.test(entry.name) && !path.includes("/messages/") ? [path] : [];
  });
}

describe("messages", () => {
  it("are complete in every language", () => {
    expect(faults(ENGLISH, GERMAN, "de")).toEqual([]);
    expect(faults(ENGLISH, FRENCH, "fr")).toEqual([]);
  });

  it("are found wanting when a key, a placeholder or a plural is missing", () => {
    const source = { a: "{n} day | {n} days", b: "{name}", c: "x" };
    expect(faults(source, { a: "{n} Tage", b: "{nam}", d: "x" }, "de")).toHaveLength(4);
  });

  it("are all used", () => {
    const text = sources(join(import.meta.dirname, "..")).map((path) => readFileSync(path, "utf8")).join("\n");
    const unused = Object.keys(ENGLISH).filter((key) => !/^(role|quantity|kind|direction|who|state|field|filter|spacekind|link|did|refusal|set|sethint)\./.test(key) && !text.includes(`"${key}"`) && !text.includes(`'${key}'`));
    expect(unused).toEqual([]);
  });

  it("are made longer by the pseudo-language, placeholders untouched", () => {
    const text = stretched("Last reading {age}");
    expect(text).toContain("{age}");
    expect(text.length).toBeGreaterThan(18 * 1.3);
    expect(stretched("{n} point | {n} points").split(" | ")).toHaveLength(2);
  });
});
