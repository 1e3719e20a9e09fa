/** Words for spans and buckets, in the language and the site's zone; pure but for `Intl`. */

import { dateFormat } from "../chart/ticks";
import type { Period, Span } from "../time/period";
import { dayOf, startOfDay } from "../time/period";
import type { Zone } from "../time/zone";

/** `Tue, 17 Nov 2026`, `16–22 Nov 2026`, `November 2026`, `17 Nov 2026, 10:15–10:20`. */
export function spanLabel(span: Span, period: Period | null, zone: Zone, locale: string): string {
  const last = span.to - 1;
  const say = (options: Intl.DateTimeFormatOptions) => dateFormat(locale, zone, options);
  if (period === "day") return say({ weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(span.from);
  if (period === "month") return say({ month: "long", year: "numeric" }).format(span.from);
  if (period === "year") return say({ year: "numeric" }).format(span.from);
  if (period === "decade") return `${say({ year: "numeric" }).format(span.from)} – ${say({ year: "numeric" }).format(last)}`;
  const days = (span.to - span.from) / 86_400_000;
  const midnights = [span.from, span.to].every((at) => at === startOfDay(dayOf(at, zone), zone));
  if (period === "week" || days > 8 || midnights) return say({ day: "numeric", month: "short", year: "numeric" }).formatRange(span.from, last);
  const seconds = days * 86_400 < 600 ? ({ second: "2-digit" } as const) : {};
  return say({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", ...seconds }).formatRange(span.from, span.to);
}

/** The time of one bucket or reading, as precise as it is. */
export function bucketLabel(from: number, to: number | null, zone: Zone, locale: string): string {
  const length = to === null ? 0 : to - from;
  const say = (options: Intl.DateTimeFormatOptions) => dateFormat(locale, zone, options);
  if (length > 300 * 86_400_000) return say({ year: "numeric" }).format(from);
  if (length > 26 * 86_400_000) return say({ month: "long", year: "numeric" }).format(from);
  if (length > 20 * 3_600_000) return say({ weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(from);
  const day = { weekday: "short", day: "numeric", month: "short" } as const;
  if (to === null || length < 60_000) return say({ ...day, hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(from);
  return say({ ...day, hour: "2-digit", minute: "2-digit" }).formatRange(from, to);
}
