/** Asks the server: addresses below the document's base, JSON, named problems; knows no screens. */

import { clockSeen, connectionGood, connectionLost } from "../state/connection";

/** The server answered, but with a refusal; `request` is the number to quote. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly request: string,
    /** After how long the same may be asked again; 0 when the server does not say so. */
    readonly retryAfterS = 0,
    /** What else the problem tells, such as that a second factor is asked for. */
    readonly told: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail || title);
  }
}

/** No answer at all: the network, or the server, is away. */
export class Unreachable extends Error {}

/** A header that no other site's page can send here: the server asks for it where something changes. */
const OURS = { "x-wattstead": "1" };
const JSON_BODY = { "content-type": "application/json" };

/** Numbers stand in one list, texts each by itself. */
export type Parameter = string | number | readonly number[] | readonly string[] | undefined;

/** The address of something of ours, right below any path prefix. */
export function address(path: string, parameters: Readonly<Record<string, Parameter>> = {}): string {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(parameters)) {
    if (Array.isArray(value) && typeof value[0] === "string") value.forEach((one) => url.searchParams.append(name, String(one)));
    else if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href.replaceAll("%2C", ",");
}

export interface Asking {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** The version that is changed: the server refuses when there is a newer one. */
  readonly version?: string | undefined;
  /** Hears which version the answer is. */
  readonly heard?: (version: string) => void;
}

/** The JSON of an answer; `Refused` or `Unreachable` otherwise; an `AbortError` when the question was withdrawn. */
export async function ask<Answer>(
  path: string,
  parameters: Readonly<Record<string, Parameter>> = {},
  { method = "GET", body, signal, version, heard }: Asking = {},
): Promise<Answer> {
  let answer: Response;
  try {
    answer = await fetch(address(`api/v1/${path}`, parameters), {
      method,
      credentials: "same-origin",
      headers: {
        accept: "application/json",
        ...(method === "GET" ? {} : OURS),
        ...(method === "POST" ? { "idempotency-key": unique() } : {}),
        ...(version ? { "if-match": version } : {}),
        ...(body === undefined || body instanceof Blob ? {} : JSON_BODY),
      },
      body: body === undefined ? null : body instanceof Blob ? body : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    connectionLost();
    throw new Unreachable(String(error));
  }
  connectionGood();
  clockSeen(answer.headers.get("date"));
  if (!answer.ok) throw await refusal(answer);
  heard?.(answer.headers.get("etag") ?? "");
  if (answer.status === 204 || answer.headers.get("content-length") === "0") return undefined as Answer;
  return (await answer.json()) as Answer;
}

/** So that a request which a proxy sends twice makes one thing; plain http has no `randomUUID`. */
function unique(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

async function refusal(answer: Response): Promise<Refused> {
  let told: { title?: string; detail?: string; request?: string } & Record<string, unknown> = {};
  try {
    told = (await answer.json()) as typeof told;
  } catch {
    // A proxy in between may answer with a page; the status is all there is.
  }
  const request = told.request ?? answer.headers.get("x-request-id") ?? "";
  const retryAfterS = Number(answer.headers.get("retry-after")) || 0;
  await import("../messages/refused").then(({ reword }) => reword(told, answer.status), String); // without its words the sentence told stands
  return new Refused(answer.status, told.title ?? answer.statusText, told.detail ?? "", request, retryAfterS, told);
}

export function withdrawn(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
