import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const FOLDER = join(import.meta.dirname, "..");
const css = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");

function tokens(block: string): Record<string, string> {
  return Object.fromEntries([...block.matchAll(/(--[\w-]+): (#[0-9A-F]{6});/g)].map((match) => [match[1], match[2]]));
}
const blocks = [...css.matchAll(/\{([^{}]*)\}/g)].map((match) => tokens(match[1] ?? ""));
const [light, dark, darkByDevice] = blocks as [Record<string, string>, Record<string, string>, Record<string, string>];

function luminance(hex: string): number {
  const linear = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0);
}

function contrast(a: string | undefined, b: string | undefined): number {
  const [x, y] = [luminance(a ?? ""), luminance(b ?? "")];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return files(path);
    return /\.(vue|css)$/.test(entry.name) ? [path] : [];
  });
}

describe("tokens", () => {
  it("are the same in the dark, chosen or by the device", () => {
    expect(darkByDevice).toEqual(dark);
    expect(Object.keys(dark)).toEqual(Object.keys(light));
  });

  describe.each([["light", light], ["dark", dark]])("%s", (_, set) => {
    it.each(["--text", "--muted", "--accent", "--ok", "--warn", "--bad"])("%s can be read as text", (name) => {
      for (const ground of ["--bg", "--surface"]) expect(contrast(set[name], set[ground])).toBeGreaterThanOrEqual(4.5);
    });

    it.each(["--control", "--solar", "--grid", "--export", "--battery", "--home", "--ev"])("%s can be seen as a line", (name) => {
      for (const ground of ["--bg", "--surface"]) expect(contrast(set[name], set[ground])).toBeGreaterThanOrEqual(3);
    });

    it("has readable text on the accent", () => {
      expect(contrast(set["--on-accent"], set["--accent"])).toBeGreaterThanOrEqual(4.5);
    });
  });

  it("are the only colours", () => {
    const literal = /#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(/i;
    const guilty = files(FOLDER).filter((path) => !path.endsWith("tokens.css")).filter((path) => literal.test(readFileSync(path, "utf8").replace(/href="#main"|\{ #|#email|#password/g, "")));
    expect(guilty).toEqual([]);
  });
});
