/** Questions about organizations, people, sites and devices: lists, one thing with its version, changes. */

import type { Row } from "../view/attributes";
import type { Asking, Parameter } from "./client";
import { address, ask } from "./client";
import type { Listed } from "./types";

export type Noun = "sites" | "devices" | "people" | "organizations";
type Signal = Asking["signal"];
type Parameters = Readonly<Record<string, Parameter>>;

/** A thing and the version that a change of it names. */
export interface Versioned<Thing = Row> {
  readonly thing: Thing;
  readonly version: string;
}

export async function askList(noun: string, parameters: Parameters, signal?: Signal): Promise<Listed<Row>> {
  const told = await ask<readonly Row[] | Listed<Row>>(noun, parameters, { signal });
  return "rows" in told ? told : { rows: told, total: told.length, cursor: null };
}

export async function askThing<Thing = Row>(path: string, signal?: Signal): Promise<Versioned<Thing>> {
  let version = "";
  const thing = await ask<Thing>(path, {}, { signal, heard: (told) => (version = told) });
  return { thing, version };
}

/** Refused with 412 when somebody else changed it meanwhile. */
export async function changeThing<Thing = Row>(path: string, change: unknown, version: string): Promise<Versioned<Thing>> {
  let next = "";
  const thing = await ask<Thing>(path, {}, { method: "PATCH", body: change, version, heard: (told) => (next = told) });
  return { thing, version: next };
}

export const dropThing = (path: string, version?: string) => ask<void>(path, {}, { method: "DELETE", version });
/** Makes something, or does something to a thing; to some things only in the version that was seen. */
export const create = <Answer = Row>(path: string, body: unknown = {}, version?: string) => ask<Answer>(path, {}, { method: "POST", body, version });
/** Sets the picture of a thing; without a file it is taken away. */
export const putPhoto = (path: string, file: Blob = new Blob()) => ask<Row>(`${path}/photo`, {}, { method: "PUT", body: file });
export const look = <Answer>(path: string, parameters: Parameters = {}, signal?: Signal) => ask<Answer>(path, parameters, { signal });

/** The file of everything that a list's filters let through. */
export function exportFile(kind: string, format: "csv" | "xlsx", parameters: Parameters): string {
  return address("api/v1/directory/export", { kind, format, ...parameters });
}

/** Rows of an answer that may be a bare list or a page of one. */
export function rowsOf<Thing>(told: readonly Thing[] | Listed<Thing>): readonly Thing[] {
  return "rows" in told ? told.rows : told;
}
