/** Who is signed in; undefined until the server was asked. */

import { shallowRef } from "vue";

import { Refused } from "../api/client";
import { askSession, signIn, signOut } from "../api/questions";
import type { Session } from "../api/types";

export const session = shallowRef<Session | null | undefined>(undefined);

/** Asks once; not being signed in is an answer, no connection is an error. Who signs in meanwhile is signed in. */
export async function knowSession(): Promise<Session | null> {
  if (session.value !== undefined) return session.value;
  const told = await askSession().catch((error: unknown) => {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
    return null;
  });
  session.value ??= told;
  return session.value ?? null;
}

export async function enter(email: string, password: string, code?: string): Promise<void> {
  const told = await signIn(email, password, code);
  session.value = told && "email" in told ? told : await askSession();
}

/** Asks anew who is here: after a link was opened, a reason told, another person's eyes taken or left. */
export async function renewSession(): Promise<void> {
  session.value = await askSession();
}

/** Whether this person may do that anywhere, as `create site`; the server decides for each thing. */
export function can(right: string): boolean {
  return session.value?.rights.includes(right) ?? false;
}

export async function leave(): Promise<void> {
  const eyes = session.value?.impersonator;
  await signOut();
  session.value = eyes ? await askSession() : null;
}

/** An answer of 401 in the middle of work: the session ran out. */
export function expired(error: unknown): boolean {
  if (!(error instanceof Refused) || error.status !== 401) return false;
  session.value = null;
  return true;
}
