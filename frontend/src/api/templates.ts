/** Questions about templates of devices. */

import type { components } from "./schema";
import { create, look, rowsOf } from "./registry";
import type { Listed } from "./types";

type Schemas = components["schemas"];
export type TemplateRow = Readonly<Schemas["TemplateRow"]>;
export type Template = Readonly<Schemas["TemplateAnswer"]>;

export async function askTemplates(): Promise<readonly TemplateRow[]> {
  return rowsOf(await look<Listed<TemplateRow>>("templates"));
}

export const askTemplate = (name: string, revision: number) => look<Template>(`templates/${encodeURIComponent(name)}/${revision}`);

/** Keeps a template; a refusal tells the line of what is wrong. */
export const keepTemplate = (organization_id: number, text: string) => create<Template>("templates", { organization_id, text });

/** The newest revision of each, by title. */
export function newestOf(all: readonly TemplateRow[]): readonly TemplateRow[] {
  const newest = new Map<string, TemplateRow>();
  for (const one of all) if (one.revision > (newest.get(one.name)?.revision ?? 0)) newest.set(one.name, one);
  return [...newest.values()].sort((a, b) => a.title.localeCompare(b.title));
}

/** Whether all words stand in its name, title or maker. */
export function fits(one: TemplateRow, words: string): boolean {
  const text = `${one.title} ${one.maker} ${one.name}`.toLocaleLowerCase();
  return words.toLocaleLowerCase().split(/\s+/).every((word) => text.includes(word));
}
