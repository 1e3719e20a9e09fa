/** Local calendar time of one zone, from the browser's own tables; no dates library. */

export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const DAY_MS = 86_400_000;

/** One IANA zone: instant to local time and back; days of 23, 24.5 or 0 hours come out right. */
export class Zone {
  private readonly format: Intl.DateTimeFormat;
  private readonly days = new Map<number, number | null>();

  constructor(readonly name: string) {
    this.format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      era: "short",
    });
  }

  /** Milliseconds that the local clock is ahead of UTC at that instant. */
  offset(ms: number): number {
    const day = Math.floor(ms / DAY_MS);
    let whole = this.days.get(day);
    if (whole === undefined) {
      const first = this.ask(day * DAY_MS);
      whole = first === this.ask((day + 1) * DAY_MS) ? first : null;
      if (this.days.size > 8000) this.days.clear();
      this.days.set(day, whole);
    }
    return whole ?? this.ask(ms);
  }

  private ask(ms: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.format.formatToParts(ms)) part[type] = Number(value);
    const clock = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day ?? 1, part.hour ?? 0, part.minute ?? 0, part.second ?? 0);
    return clock - Math.floor(ms / 1000) * 1000;
  }

  local(ms: number): LocalTime {
    const clock = new Date(ms + this.offset(ms));
    return {
      year: clock.getUTCFullYear(),
      month: clock.getUTCMonth() + 1,
      day: clock.getUTCDate(),
      hour: clock.getUTCHours(),
      minute: clock.getUTCMinutes(),
      second: clock.getUTCSeconds(),
    };
  }

  /** The first instant at which the local clock shows that time, or, where it is skipped, the instant of the jump. */
  instant(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
    const clock = Date.UTC(year, month - 1, day, hour, minute, second);
    const before = clock - this.offset(clock - DAY_MS);
    const after = clock - this.offset(clock + DAY_MS);
    const fits = [before, after].filter((ms) => ms + this.offset(ms) === clock);
    return fits.length > 0 ? Math.min(...fits) : before;
  }
}

const zones = new Map<string, Zone>();

/** The zone of that name; an unknown name gives UTC, since a picture in UTC beats none. */
export function zoneOf(name: string): Zone {
  let found = zones.get(name);
  if (!found) {
    try {
      found = new Zone(name);
    } catch {
      found = new Zone("UTC");
    }
    zones.set(name, found);
  }
  return found;
}
