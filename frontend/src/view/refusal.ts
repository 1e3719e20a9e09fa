/** What went wrong, in one sentence for beside a form. */

import { Refused } from "../api/client";
import { t } from "../messages";

export function said(error: unknown): string {
  return error instanceof Refused ? error.detail || error.title : t("trouble.unreachable");
}
