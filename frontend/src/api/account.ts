/** Questions about oneself: doors into the product, profile, sessions and proofs of who one is. */

import { ask } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type InvitationLook = Readonly<Schemas["InvitationOffer"]>;
export type SessionRow = Readonly<Schemas["SessionRow"]>;
export type Profile = Readonly<Schemas["Profile"]>;
export type OpenOrganization = Readonly<Schemas["OpenOrganization"]>;
export type TrustOffer = Readonly<Schemas["TrustAnswer"]>;
export interface PasskeyRow {
  readonly id: number;
  readonly name: string;
  readonly created: string;
  readonly last_used: string | null;
}

const post = <Answer>(path: string, body: unknown = {}) => ask<Answer>(path, {}, { method: "POST", body });
const drop = (path: string) => ask<void>(path, {}, { method: "DELETE" });

/** Where people may make an account by themselves; usually nowhere. */
export const askOpenOrganizations = () => ask<readonly OpenOrganization[]>("register");
export const register = (wanted: { organization: number; email: string; password: string; name: string }) =>
  post<{ readonly verify: boolean }>("register", wanted);
export const verify = (token: string) => post<void>("verify", { token });
export const recover = (email: string) => post<void>("recover", { email });
export const recovered = (token: string, password: string) => post<void>("recover/finish", { token, password });
export const lookInvitation = (token: string) => ask<InvitationLook>("invitations/look", { token });
/** Somebody new gives name and password; somebody signed in neither. */
export const acceptInvitation = (token: string, name = "", password = "") => post<{ readonly email: string }>("invitations/accept", { token, name, password });
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
export const freshCodes = (password: string) => post<{ readonly codes: readonly string[] }>("account/totp/codes", { password });
export const dropTotp = (password: string) => ask<void>("account/totp", {}, { method: "DELETE", body: { password } });

/** How a device trusts this server; empty texts where it does anyway. */
export const askTrust = () => ask<TrustOffer>("trust");

/** The provider that one may sign in with; refused with 404 when there is none. */
export const askOutside = () => ask<{ readonly name: string }>("session/outside");
export const beginPasskeyLogin = () => post<{ readonly ceremony: string; readonly options: Readonly<Record<string, unknown>> }>("session/passkey/begin");
export const finishPasskeyLogin = (ceremony: string, credential: unknown) => post<unknown>("session/passkey", { ceremony, credential });

export const askPasskeys = () => ask<readonly PasskeyRow[]>("account/passkeys");
/** Asks for the password; empty for an account without any. */
export const beginPasskey = (password: string) => post<Record<string, unknown>>("account/passkeys/begin", { password });
export const finishPasskey = (name: string, credential: unknown) => post<unknown>("account/passkeys/finish", { name, credential });
export const dropPasskey = (id: number) => drop(`account/passkeys/${id}`);
/** Gives the administrator's own eyes back. */
export const stopImpersonating = () => drop("session");
