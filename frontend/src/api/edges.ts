/** Questions about edges: machines on site, how they are doing, what they are told, what they were told before. */

import { ask } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Edge = Readonly<Schemas["EdgeAnswer"]>;
export type EdgeSettings = Schemas["EdgeSettings"];
export type EdgeRule = Schemas["EdgeRule"];
export type EdgeConfiguration = Readonly<Schemas["EdgeConfigurationAnswer"]>;

export const askEdges = () => ask<readonly Edge[]>("edges");
/** The answer holds the code with which a machine joins, once. */
export const makeEdge = (site_id: number, name: string) => ask<Edge>("edges", {}, { method: "POST", body: { site_id, name } });
export const newCode = (edge: Edge) => ask<Edge>(`edges/${edge.id}/code`, {}, { method: "POST" });
/** Refused with 412 when somebody else changed it meanwhile. */
export const changeEdge = (edge: Edge, change: { name?: string; settings?: EdgeSettings; enabled?: boolean }) => ask<Edge>(`edges/${edge.id}`, {}, { method: "PATCH", body: change, version: `"${edge.version}"` });
export const dropEdge = (edge: Edge) => ask<void>(`edges/${edge.id}`, {}, { method: "DELETE", version: `"${edge.version}"` });
export const askHistory = (edge: Edge) => ask<readonly EdgeConfiguration[]>(`edges/${edge.id}/configurations`);
