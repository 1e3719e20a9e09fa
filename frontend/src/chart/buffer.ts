/** The one typed buffer of a live chart: time and one column per point, oldest rows dropped; never reactive. */

export class LiveBuffer {
  private time: Float64Array;
  private values: Float64Array[];
  private first = 0;
  private end = 0;

  /** Holds at least `capacity` rows for `columns` points. */
  constructor(
    readonly columns: number,
    private readonly capacity = 4096,
  ) {
    this.time = new Float64Array(capacity * 2);
    this.values = Array.from({ length: columns }, () => new Float64Array(capacity * 2).fill(NaN));
  }

  get length(): number {
    return this.end - this.first;
  }

  get lastTime(): number {
    return this.length > 0 ? (this.time[this.end - 1] as number) : -Infinity;
  }

  /** Puts one value; a reading that comes late is set in its place, one that comes again replaces the first. */
  put(timeMs: number, column: number, value: number): void {
    let at = this.end;
    while (at > this.first && (this.time[at - 1] as number) > timeMs) at--;
    if (at > this.first && this.time[at - 1] === timeMs) at--;
    else at = this.insert(at, timeMs);
    const target = this.values[column];
    if (target) target[at] = value;
  }

  private insert(wanted: number, timeMs: number): number {
    let at = wanted;
    if (this.end === this.time.length) at -= this.compact();
    for (const column of [this.time, ...this.values]) column.copyWithin(at + 1, at, this.end);
    this.time[at] = timeMs;
    for (const column of this.values) column[at] = NaN;
    this.end++;
    if (this.length > this.capacity) this.first++;
    return at;
  }

  private compact(): number {
    const by = this.first > 0 ? this.first : this.capacity;
    for (const column of [this.time, ...this.values]) column.copyWithin(0, by, this.end);
    this.end -= by;
    this.first = 0;
    return by;
  }

  /** Drops rows before `timeMs`, but keeps the last one before it, so that the line enters from the edge. */
  dropBefore(timeMs: number): void {
    while (this.length > 1 && (this.time[this.first + 1] as number) < timeMs) this.first++;
  }

  /** Views on the present rows; valid until the next `put`. */
  times(): Float64Array {
    return this.time.subarray(this.first, this.end);
  }

  column(index: number): Float64Array {
    const column = this.values[index];
    return column ? column.subarray(this.first, this.end) : new Float64Array(0);
  }
}
