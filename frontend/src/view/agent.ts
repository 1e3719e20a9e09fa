/** The browser and system behind a User-Agent header, as people call them. */

const BROWSERS: readonly (readonly [RegExp, string])[] = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrom(e|ium)\//, "Chrome"], [/Safari\//, "Safari"]];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [[/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Android/, "Android"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]];

/** `Firefox, Linux`; of something else its first word; empty for nothing. */
export function browserName(agent: string): string {
  const found = [BROWSERS, SYSTEMS].flatMap((table) => table.find(([sign]) => sign.test(agent))?.[1] ?? []);
  return found.join(", ") || (agent.split(/[\s/]/)[0] ?? "");
}
