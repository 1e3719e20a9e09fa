import { execFileSync } from "node:child_process";

import { describe, expect, it } from "vitest";

import { curlLine } from "./curl";

/** What the shell hands to curl for that line. */
function argumentsOf(line: string): string[] {
  return execFileSync("/bin/sh", ["-c", `curl() { for a in "$@"; do printf '%s\\0' "$a"; done; }\n${line}`], { encoding: "utf8" }).split("\0");
}

describe("the line to paste", () => {
  it.each(["test/first-reading", `it's "quoted" $HOME \`ls\` \\ end`, "Küche"])("posts one reading of %s from a shell", (name) => {
    const given = argumentsOf(curlLine("http://127.0.0.1:8086/energy/", "0123abc", name, 1234));
    expect(given[2]).toBe("http://127.0.0.1:8086/energy/api/v1/readings");
    expect(given).toContain("Authorization: Bearer 0123abc");
    const body = JSON.parse(given[given.indexOf("-d") + 1] as string) as { readings: { point: string; time: number; value: number }[] };
    expect(body.readings[0]).toMatchObject({ point: name, value: 1234 });
    expect(Math.abs((body.readings[0]?.time ?? 0) - Date.now() / 1000)).toBeLessThan(60);
  });
  it("gets the certificate first where a server vouches for itself", () => {
    const given = argumentsOf(curlLine("https://pi.local:8086/", "0123abc", "power", 1, "http://192.168.1.9:8087/trust"));
    expect(given.slice(0, 4)).toEqual(["-s", "-o", "wattstead.pem", "http://192.168.1.9:8087/trust/wattstead.pem"]);
    expect(given.slice(4, 9)).toEqual(["--cacert", "wattstead.pem", "-X", "POST", "https://pi.local:8086/api/v1/readings"]);
  });
});
