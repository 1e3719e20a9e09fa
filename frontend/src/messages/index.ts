/** The words of the page in the language a person chose; keys and placeholders are typed. */

import { computed, ref, shallowRef } from "vue";

import { en } from "./en";

export type MessageKey = keyof typeof en;
export type Messages = Readonly<Record<MessageKey, string>>;
export type Language = "en" | "de" | "fr" | "pseudo";
export const LANGUAGES: readonly (readonly [Language, string])[] = [
  ["en", "English"],
  ["de", "Deutsch"],
  ["fr", "Français"],
];

type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
/** Messages that need no figures. */
export type PlainKey = { [Key in MessageKey]: [Names<(typeof en)[Key]>] extends [never] ? Key : never }[MessageKey];

type Parameters_<Key extends MessageKey> =
  [Names<(typeof en)[Key]>] extends [never] ? [] : [Record<Names<(typeof en)[Key]>, string | number>];

const STORED = "wattstead.language";
const table = shallowRef<Messages>(en);
export const language = ref<Language>("en");

/** The locale for `Intl`: the region of the browser where its language is the chosen one. */
export const locale = computed(() => {
  const wanted = language.value === "pseudo" ? "en" : language.value;
  const regional = navigator.languages.find((tag) => tag.split("-")[0] === wanted);
  return regional ?? (wanted === "en" ? "en-GB" : wanted);
});

function fill(text: string, parameters: Readonly<Record<string, string | number>> | undefined): string {
  return parameters ? text.replace(/\{(\w+)\}/g, (_, name: string) => String(parameters[name] ?? "")) : text;
}

/** The message with its placeholders filled. */
export function t<Key extends MessageKey>(key: Key, ...[parameters]: Parameters_<Key>): string {
  return fill(table.value[key], parameters as Record<string, string | number> | undefined);
}

/** A message in the form that the number needs: `{n} reading | {n} readings`. */
export function tn<Key extends MessageKey>(key: Key, n: number, ...[parameters]: Parameters_<Key>): string {
  const forms = table.value[key].split(" | ");
  const form = new Intl.PluralRules(locale.value).select(n) === "one" ? forms[0] : forms[forms.length - 1];
  return fill(form ?? "", parameters as Record<string, string | number> | undefined);
}

async function load(wanted: Language): Promise<Messages> {
  if (wanted === "de") return (await import("./de")).de;
  if (wanted === "fr") return (await import("./fr")).fr;
  if (wanted === "pseudo") return (await import("./pseudo")).pseudo;
  return en;
}

function isLanguage(text: string | null): text is Language {
  return text === "en" || text === "de" || text === "fr" || text === "pseudo";
}

/** Switches the page's language; `keep` remembers it on this device. */
export async function speak(wanted: Language, keep: boolean): Promise<void> {
  table.value = await load(wanted);
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
