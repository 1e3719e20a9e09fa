/** What went wrong, in one sentence for beside a form. */

import { Refused } from "../api/client";
import { t } from "../messages";

/** Of a link that leads here: that it has ended is said in one's own language. */
export function saidOfLink(error: unknown): string {
  return error instanceof Refused && error.status === 404 ? t("door.ended") : said(error);
}

export function said(error: unknown): string {
  return error instanceof Refused ? error.detail || error.title : t("trouble.unreachable");
}
