/** What blinks say of power: each blink stands for the time since the one before, as the meter itself counted it. */

/** Power (W) of a meter with so many pulses a kWh, of which the last two came `ms` apart. */
export function powerOf(pulsesPerKwh: number, ms: number): number {
  return pulsesPerKwh > 0 && ms > 0 ? (3600 * 1000 * 1000) / (pulsesPerKwh * ms) : NaN;
}

/** Clocks of meter and server drift, and a line may be on its way for a moment: less is no gap. */
const SLACK_MS = 2000;

/** Whether blinks are missing between two: the later one does not reach back to the earlier. */
export function isGap(before: number, stamp: number, ms: number): boolean {
  return stamp - ms - before > Math.max(SLACK_MS, ms * 0.05);
}

export interface PowerLine {
  readonly x: Float64Array;
  /** NaN where blinks are missing. */
  readonly power: Float64Array;
}

/** The line of the power of blinks, oldest first. */
export function powerLine(stamps: ArrayLike<number>, ms: ArrayLike<number>, pulsesPerKwh: number): PowerLine {
  const x: number[] = [];
  const power: number[] = [];
  for (let i = 0; i < stamps.length; i++) {
    const [stamp, since] = [stamps[i] as number, ms[i] as number];
    const before = stamps[i - 1];
    if (before !== undefined && isGap(before, stamp, since)) {
      x.push(before + 1);
      power.push(NaN);
    }
    x.push(stamp);
    power.push(powerOf(pulsesPerKwh, since));
  }
  return { x: Float64Array.from(x), power: Float64Array.from(power) };
}

/** The blinks of the last while, each once and in order, however they come. */
export class Blinks {
  private readonly ms = new Map<number, number>();

  put(stamp: number, ms: number): void {
    this.ms.set(stamp, ms);
  }

  /** Forgets all before `from`, and gives the line of the others. */
  line(from: number, pulsesPerKwh: number): PowerLine {
    const stamps = [...this.ms.keys()].sort((a, b) => a - b);
    for (const stamp of stamps) if (stamp < from) this.ms.delete(stamp);
    const kept = stamps.filter((stamp) => stamp >= from);
    return powerLine(kept, kept.map((stamp) => this.ms.get(stamp) as number), pulsesPerKwh);
  }
}

/** The address of the milliseconds of a meter, of which this is the address of its blinks; empty where it is none. */
export function intervalsOf(address: string): string {
  return address.endsWith("/blinks") ? `${address.slice(0, -"blinks".length)}ms` : "";
}
