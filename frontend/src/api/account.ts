/** Questions about oneself: doors into the product, profile, sessions and proofs of who one is. */

import { ask } from "./client";

export interface InvitationLook {
  readonly email: string;
  readonly role: string;
  readonly place?: string;
  readonly organization?: string | null;
  readonly site?: string | null;
}
export interface SessionRow {
  readonly name: string;
  readonly agent: string;
  readonly address: string;
  readonly created: string;
  readonly last_used: string;
  readonly current?: boolean;
}
export interface Profile {
  readonly id: number;
  readonly email: string;
  readonly name: string;
  readonly phone: string;
  readonly mobile_phone: string;
  readonly locale: string;
  readonly verified: string | null;
  readonly has_totp: boolean;
}
export interface PasskeyRow {
  readonly id: number;
  readonly name: string;
  readonly created: string;
  readonly last_used: string | null;
}

const post = <Answer>(path: string, body: unknown = {}) => ask<Answer>(path, {}, { method: "POST", body });
const drop = (path: string) => ask<void>(path, {}, { method: "DELETE" });

export const register = (wanted: { organization: string; email: string; password: string; name: string }) =>
  post<{ readonly verify?: boolean } | undefined>("register", wanted);
export const verify = (token: string) => post<void>("verify", { token });
export const recover = (email: string) => post<void>("recover", { email });
export const recovered = (token: string, password: string) => post<void>("recover/finish", { token, password });
export const lookInvitation = (token: string) => ask<InvitationLook>("invitations/look", { token });
export const acceptInvitation = (token: string, name: string, password: string) => post<void>("invitations/accept", { token, name, password });
export const openShared = (token: string) => ask<unknown>(`shared/${encodeURIComponent(token)}`);
export const tellReason = (reason: string) => post<void>("reason", { reason });

export const askProfile = () => ask<Profile>("account");
export const changeProfile = (change: Partial<Profile>) => ask<Profile>("account", {}, { method: "PATCH", body: change });
export const changePassword = (current: string, password: string) => post<void>("account/password", { current, password });
export const changeEmail = (email: string, password: string) => post<void>("account/email", { email, password });

export const askSessions = () => ask<readonly SessionRow[]>("sessions");
export const endSession = (name: string) => drop(`sessions/${encodeURIComponent(name)}`);
export const endOthers = () => drop("sessions");

export const beginTotp = () => post<{ readonly secret: string; readonly uri: string }>("account/totp");
export const confirmTotp = (code: string) => post<{ readonly codes: readonly string[] }>("account/totp/confirm", { code });
export const dropTotp = () => drop("account/totp");

export const askPasskeys = () => ask<readonly PasskeyRow[]>("account/passkeys");
export const beginPasskey = () => post<Record<string, unknown>>("account/passkeys/begin");
export const finishPasskey = (name: string, credential: unknown) => post<unknown>("account/passkeys/finish", { name, credential });
export const dropPasskey = (id: number) => drop(`account/passkeys/${id}`);
/** Gives the administrator's own eyes back. */
export const stopImpersonating = () => drop("people/impersonate");
