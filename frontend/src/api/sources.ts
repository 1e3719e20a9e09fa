/** Questions about sources: connections that the server opens, their forms, looking around, dead letters. */

import { ask } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Source = Readonly<Schemas["SourceAnswer"]>;
export type Sight = NonNullable<Source["sight"]>;
export type Protocol = Readonly<Schemas["ProtocolAnswer"]>;
export type Found = Readonly<Schemas["FoundAnswer"]>;
export type Letter = Readonly<Schemas["LetterAnswer"]>;
export type LetterPage = Readonly<Schemas["LetterPage"]>;
export type Settings = Record<string, unknown>;
export interface Wanted {
  name: string;
  /** The machine on site that runs it; null: the server. */
  edge_id: number | null;
  settings: Settings;
  past_days: number;
  rate: number;
}

export const askSources = () => ask<readonly Source[]>("sources");
export const askProtocols = () => ask<readonly Protocol[]>("sources/protocols");
export const makeSource = (site_id: number, protocol: string, wanted: Wanted) => ask<Source>("sources", {}, { method: "POST", body: { site_id, protocol, ...wanted } });
/** Refused with 412 when somebody else changed it meanwhile. */
export const changeSource = (source: Source, change: Partial<Wanted> & { enabled?: boolean }) => ask<Source>(`sources/${source.id}`, {}, { method: "PATCH", body: change, version: `"${source.version}"` });
export const dropSource = (source: Source) => ask<void>(`sources/${source.id}`, {}, { method: "DELETE", version: `"${source.version}"` });
export const lookAround = (site_id: number, protocol: string, settings: Settings, source_id?: number) =>
  ask<Schemas["LookAnswer"]>("sources/look", {}, { method: "POST", body: { site_id, protocol, settings, ...(source_id ? { source_id } : {}) } });
export const askLetters = (source: number, cursor?: string) => ask<LetterPage>(`sources/${source}/letters`, { limit: 20, cursor });
export const replayLetters = (source: number, ids?: readonly number[]) => ask<Schemas["ReplayAnswer"]>(`sources/${source}/letters/replay`, {}, { method: "POST", body: ids ? { ids } : {} });
export const dropLetters = (source: number, letter?: number) => ask<void>(`sources/${source}/letters${letter ? `/${letter}` : ""}`, {}, { method: "DELETE" });
