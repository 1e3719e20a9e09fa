// Measures the built application against its budgets: script of the first screen, of every later one, all style.
// `--json` prints the figures for a test; otherwise a table; exit status 1 when one is over.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const KB = 1000;
const BUDGETS = { first: 80 * KB, later: 25 * KB, style: 12 * KB };
/** Screens and the words that come with them. */
const PAGES = {
  Home: ["first"],
  History: ["history"],
  Points: ["points"],
  Settings: ["settings", "door"],
  SignIn: ["door"],
  NotFound: [],
  More: [],
  Start: ["points", "start"],
  Pulses: ["list", "points", "pulses"],
  Sites: ["list", "who", "place"],
  SitePage: ["list", "who", "place"],
  Devices: ["list", "who", "place"],
  DevicePage: ["list", "who", "place"],
  Sources: ["list", "sources"],
  Templates: ["list", "templates"],
  TemplatePage: ["list", "points", "templates"],
  TemplateEdit: ["list", "templates"],
  People: ["list", "who", "people"],
  PersonPage: ["list", "who", "people"],
  Organizations: ["list", "who", "people"],
  OrganizationPage: ["list", "who", "people"],
  Register: ["door"],
  Verify: ["door"],
  Recover: ["door"],
  Invitation: ["door", "who"],
  Shared: ["door"],
};

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../src/wattstead/web/static");
const assets = join(folder, "assets");
const files = readdirSync(assets);
const packed = new Map(files.map((name) => [name, gzipSync(readFileSync(join(assets, name)), { level: 9 }).length]));

/** Scripts a file needs before it can run: what it imports, not what it may load later. */
function needed(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  const text = readFileSync(join(assets, name), "utf8");
  for (const match of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)) needed(match[1], found);
  return found;
}

const size = (names) => [...names].reduce((sum, name) => sum + (packed.get(name) ?? 0), 0);
const page = (name) => {
  const found = files.find((file) => file.startsWith(`${name}-`) && file.endsWith(".js"));
  if (!found) throw new Error(`no script of the screen ${name} in ${assets}; was it renamed?`);
  return found;
};

/** Words come with their screen but are not imported by it; the longest language counts. */
const words = (part) => Math.max(0, ...files.filter((file) => file.startsWith(`${part}-`) && file.endsWith(".js")).map((file) => packed.get(file)));

const html = readFileSync(join(folder, "index.html"), "utf8");
const entry = /src="\.\/assets\/([^"]+\.js)"/.exec(html)?.[1];
if (!entry) throw new Error("index.html names no script");

const first = needed(page("Home"), needed(entry));
const themes = gzipSync(readFileSync(join(folder, "theme.js")), { level: 9 }).length;
const results = [{ what: "script of the first screen", bytes: size(first) + words("first") + themes, limit: BUDGETS.first }];
const household = ["History", "Points", "SignIn", "NotFound"];
for (const [name, parts] of Object.entries(PAGES).slice(1)) {
  const entries = household.includes(name) ? [page(name)] : [page(name), page("routes")];
  const added = [...new Set(entries.flatMap((one) => [...needed(one)]))].filter((script) => !first.has(script));
  results.push({ what: `script added by ${name}`, bytes: parts.reduce((sum, part) => sum + words(part), size(added)), limit: BUDGETS.later });
}
results.push({ what: "all style", bytes: size(files.filter((name) => name.endsWith(".css"))), limit: BUDGETS.style });

if (process.argv.includes("--json")) console.log(JSON.stringify(results));
else for (const { what, bytes, limit } of results) console.log(`${what.padEnd(32)} ${(bytes / KB).toFixed(1).padStart(6)} kB of ${limit / KB}`);
process.exitCode = results.some(({ bytes, limit }) => bytes > limit) ? 1 : 0;
