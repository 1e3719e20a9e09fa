/** The words of the page in the language a person chose, loaded part by part; keys and placeholders are typed. */

import { computed, ref, shallowRef } from "vue";

import type { words as door } from "./en/door";
import type { words as first } from "./en/first";
import type { words as history } from "./en/history";
import type { words as points } from "./en/points";
import type { words as who } from "./en/who";
import type { words as list } from "./en/list";
import type { words as place } from "./en/place";
import type { words as people } from "./en/people";
import type { words as start } from "./en/start";
import type { words as pulses } from "./en/pulses";
import type { words as settings } from "./en/settings";
import type { words as templates } from "./en/templates";
import type { words as refusals } from "./en/refusals";
import type { words as opened } from "./en/sources";
import type { words as protocols } from "./en/protocols";
import type { words as edges } from "./en/edges";

interface Sources {
  readonly first: typeof first;
  readonly history: typeof history;
  readonly points: typeof points;
  readonly door: typeof door;
  readonly who: typeof who;
  readonly list: typeof list;
  readonly place: typeof place;
  readonly people: typeof people;
  readonly start: typeof start;
  readonly pulses: typeof pulses;
  readonly settings: typeof settings;
  readonly templates: typeof templates;
  readonly refusals: typeof refusals;
  readonly sources: typeof opened;
  readonly protocols: typeof protocols;
  readonly edges: typeof edges;
}
type English = Sources["first"] & Sources["history"] & Sources["points"] & Sources["door"] & Sources["settings"] &
  Sources["who"] & Sources["list"] & Sources["place"] & Sources["people"] & Sources["start"] & Sources["pulses"] & Sources["templates"] & Sources["refusals"] & Sources["sources"] & Sources["protocols"] & Sources["edges"];

/** `first` is loaded before anything is shown, the others with their screens. */
export type Part = keyof Sources;
export type Words<P extends Part> = Readonly<Record<keyof Sources[P], string>>;
export type MessageKey = keyof English;
export type Language = "en" | "de" | "fr" | "pseudo";
export const LANGUAGES: readonly (readonly [Language, string])[] = [
  ["en", "English"],
  ["de", "Deutsch"],
  ["fr", "Français"],
];

type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
/** Messages that need no figures. */
export type PlainKey = { [Key in MessageKey]: [Names<English[Key]>] extends [never] ? Key : never }[MessageKey];
type Figures<Key extends MessageKey> = [Names<English[Key]>] extends [never] ? [] : [Record<Names<English[Key]>, string | number>];

type Files = Readonly<Record<Part, Readonly<Record<"en" | "de" | "fr", () => Promise<{ words: Readonly<Record<string, string>> }>>>>>;

/** Words of the household's screens; where those of the screens beyond lie is told by `others.ts`, which comes with them. */
const FIRST: Pick<Files, "first" | "history" | "points" | "door"> = {
  first: { en: () => import("./en/first"), de: () => import("./de/first"), fr: () => import("./fr/first") },
  history: { en: () => import("./en/history"), de: () => import("./de/history"), fr: () => import("./fr/history") },
  points: { en: () => import("./en/points"), de: () => import("./de/points"), fr: () => import("./fr/points") },
  door: { en: () => import("./en/door"), de: () => import("./de/door"), fr: () => import("./fr/door") },
};

const STORED = "wattstead.language";
const table = shallowRef<Readonly<Record<string, string>>>({});
const parts = new Set<Part>(["first"]);
export const language = ref<Language>("en");

/** The locale for `Intl`: the region of the browser where its language is the chosen one. */
export const locale = computed(() => {
  const wanted = language.value === "pseudo" ? "en" : language.value;
  const regional = navigator.languages.find((tag) => tag.split("-")[0] === wanted);
  return regional ?? (wanted === "en" ? "en-GB" : wanted);
});

function fill(text: string, figures: Readonly<Record<string, string | number>> | undefined): string {
  return figures ? text.replace(/\{(\w+)\}/g, (_, name: string) => String(figures[name] ?? "")) : text;
}

/** The message with its placeholders filled. */
export function t<Key extends MessageKey>(key: Key, ...[figures]: Figures<Key>): string {
  return fill(table.value[key] ?? key, figures as Record<string, string | number> | undefined);
}

/** A message in the form that the number needs: `{n} reading | {n} readings`. */
export function tn<Key extends MessageKey>(key: Key, n: number, ...[figures]: Figures<Key>): string {
  const forms = (table.value[key] ?? key).split(" | ");
  const form = new Intl.PluralRules(locale.value).select(n) === "one" ? forms[0] : forms[forms.length - 1];
  return fill(form ?? "", figures as Record<string, string | number> | undefined);
}

async function load(wanted: Language, part: Part): Promise<Readonly<Record<string, string>>> {
  const files = part in FIRST ? FIRST : (await import("./others")).OTHERS;
  const { words } = await (files as Files)[part][wanted === "pseudo" ? "en" : wanted]();
  if (wanted !== "pseudo") return words;
  const { stretched } = await import("./pseudo");
  return Object.fromEntries(Object.entries(words).map(([key, text]) => [key, stretched(text)]));
}

/** Brings the words of a screen before it is shown. */
export async function bring(part: Part): Promise<void> {
  if (parts.has(part)) return;
  const words = await load(language.value, part);
  parts.add(part);
  table.value = { ...table.value, ...words };
}

function isLanguage(text: string | null): text is Language {
  return text === "en" || text === "de" || text === "fr" || text === "pseudo";
}

/** Switches the page's language; `keep` remembers it on this device. */
export async function speak(wanted: Language, keep: boolean): Promise<void> {
  const loaded = await Promise.all([...parts].map((part) => load(wanted, part)));
  table.value = Object.assign({}, ...loaded) as Record<string, string>;
  language.value = wanted;
  document.documentElement.lang = wanted === "pseudo" ? "en" : wanted;
  if (keep) localStorage.setItem(STORED, wanted);
}

/** The language chosen before on this device, else the first of the browser's that we have. */
export async function speakAsChosen(): Promise<void> {
  const stored = localStorage.getItem(STORED);
  const told = navigator.languages.map((tag) => tag.split("-")[0] ?? "").find(isLanguage);
  await speak(isLanguage(stored) ? stored : told && told !== "pseudo" ? told : "en", false);
}
