/** Words for what people are. */

import type { MessageKey } from "../messages";
import { t } from "../messages";

export const PEOPLE_ROLES = ["administrator", "owner", "auditor", "partner", "operator", "manager", "user", "guest"] as const;
type Known = `who.${(typeof PEOPLE_ROLES)[number]}`;

/** The word for a role; one that a newer server knows is shown as it is. */
export function roleName(role: string): string {
  return (PEOPLE_ROLES as readonly string[]).includes(role) ? t(`who.${role}` as Known satisfies MessageKey) : role;
}
