/** A text as a QR code: bytes, correction level M, versions 1 to 10 (up to 213 bytes); gives the modules, draws nothing. */

/** Per version: correction words a block, then blocks and data words of the first and of the second group (level M). */
const BLOCKS: readonly (readonly [number, number, number, number, number])[] = [
  [10, 1, 16, 0, 0], [16, 1, 28, 0, 0], [26, 1, 44, 0, 0], [18, 2, 32, 0, 0], [24, 2, 43, 0, 0],
  [16, 4, 27, 0, 0], [18, 4, 31, 0, 0], [22, 2, 38, 2, 39], [22, 3, 36, 2, 37], [26, 4, 43, 1, 44],
];
const ALIGNED: readonly (readonly number[])[] = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]];

const EXP = new Uint8Array(512);
const LOG = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i++) {
  EXP[i] = EXP[i + 255] = x;
  LOG[x] = i;
  x = (x << 1) ^ (x & 128 ? 0x11d : 0);
}
const times = (a: number, b: number): number => (a && b ? (EXP[(LOG[a] as number) + (LOG[b] as number)] as number) : 0);

/** The Reed-Solomon correction words of a block. */
function correction(words: readonly number[], degree: number): number[] {
  let generator = [1];
  for (let i = 0; i < degree; i++) {
    const next = [...generator, 0];
    generator.forEach((factor, j) => (next[j + 1] = (next[j + 1] as number) ^ times(factor, EXP[i] as number)));
    generator = next;
  }
  const rest = [...words, ...new Array<number>(degree).fill(0)];
  for (let i = 0; i < words.length; i++) {
    const factor = rest[i] as number;
    if (factor) generator.forEach((term, j) => (rest[i + j] = (rest[i + j] as number) ^ times(term, factor)));
  }
  return rest.slice(words.length);
}

function codewords(bytes: Uint8Array, version: number): number[] {
  const [degree, first, short, second, long] = BLOCKS[version - 1] as (typeof BLOCKS)[number];
  const capacity = first * short + second * long;
  const bits: number[] = [];
  const put = (value: number, length: number) => {
    for (let i = length - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  put(4, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  bytes.forEach((byte) => put(byte, 8));
  put(0, Math.min(4, capacity * 8 - bits.length));
  while (bits.length % 8) bits.push(0);
  const words: number[] = [];
  for (let i = 0; i < bits.length; i += 8) words.push(bits.slice(i, i + 8).reduce((word, bit) => (word << 1) | bit, 0));
  for (let pad = 0xec; words.length < capacity; pad ^= 0xec ^ 0x11) words.push(pad);
  const blocks: number[][] = [];
  for (let i = 0, at = 0; i < first + second; i++) {
    const length = i < first ? short : long;
    blocks.push(words.slice(at, (at += length)));
  }
  const checks = blocks.map((block) => correction(block, degree));
  const woven = (all: readonly (readonly number[])[], length: number) =>
    Array.from({ length }, (_, i) => all.flatMap((block) => (i < block.length ? [block[i] as number] : []))).flat();
  return [...woven(blocks, Math.max(short, long)), ...woven(checks, degree)];
}

type Grid = (boolean | null)[][];

function frame(version: number): Grid {
  const size = version * 4 + 17;
  const grid: Grid = Array.from({ length: size }, () => new Array<boolean | null>(size).fill(null));
  const set = (y: number, x: number, dark: boolean) => {
    if (y >= 0 && x >= 0 && y < size && x < size) grid[y]![x] = dark;
  };
  for (const [cy, cx] of [[3, 3], [3, size - 4], [size - 4, 3]] as const) {
    for (let y = -4; y <= 4; y++) for (let x = -4; x <= 4; x++) {
      const ring = Math.max(Math.abs(x), Math.abs(y));
      set(cy + y, cx + x, ring !== 2 && ring !== 4);
    }
  }
  for (let i = 8; i < size - 8; i++) {
    grid[6]![i] = i % 2 === 0;
    grid[i]![6] = i % 2 === 0;
  }
  const centres = ALIGNED[version - 1] ?? [];
  for (const cy of centres) for (const cx of centres) {
    if ((cy === 6 && cx === 6) || (cy === 6 && cx === size - 7) || (cy === size - 7 && cx === 6)) continue;
    for (let y = -2; y <= 2; y++) for (let x = -2; x <= 2; x++) set(cy + y, cx + x, Math.max(Math.abs(x), Math.abs(y)) !== 1);
  }
  if (version >= 7) {
    let rest = version;
    for (let i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
    const bits = (version << 12) | rest;
    for (let i = 0; i < 18; i++) {
      const dark = ((bits >> i) & 1) === 1;
      set(size - 11 + (i % 3), Math.floor(i / 3), dark);
      set(Math.floor(i / 3), size - 11 + (i % 3), dark);
    }
  }
  return grid;
}

/** Level M and the mask, in both places; the dark module. */
function format(grid: Grid, mask: number): void {
  const size = grid.length;
  let rest = mask;
  for (let i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >> 9) * 0x537);
  const bits = ((mask << 10) | rest) ^ 0x5412;
  for (let i = 0; i < 15; i++) {
    const dark = ((bits >> i) & 1) === 1;
    grid[i < 6 ? i : i < 8 ? i + 1 : size - 15 + i]![8] = dark;
    grid[8]![i < 8 ? size - 1 - i : i === 8 ? 7 : 14 - i] = dark;
  }
  grid[size - 8]![8] = true;
}

const MASKS: readonly ((y: number, x: number) => boolean)[] = [
  (y, x) => (y + x) % 2 === 0,
  (y) => y % 2 === 0,
  (_, x) => x % 3 === 0,
  (y, x) => (y + x) % 3 === 0,
  (y, x) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (y, x) => ((y * x) % 2) + ((y * x) % 3) === 0,
  (y, x) => (((y * x) % 2) + ((y * x) % 3)) % 2 === 0,
  (y, x) => (((y + x) % 2) + ((y * x) % 3)) % 2 === 0,
];

function penalty(grid: readonly (readonly boolean[])[]): number {
  const size = grid.length;
  let sum = 0;
  const lines = [...grid.map((row) => row.map(Number)), ...grid.map((_, x) => grid.map((row) => Number(row[x])))];
  for (const line of lines) {
    const text = line.join("");
    for (const run of text.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2;
    for (let i = 0; i + 11 <= size; i++) if (/^(00001011101|10111010000)/.test(text.slice(i, i + 11))) sum += 40;
  }
  for (let y = 1; y < size; y++) for (let x = 1; x < size; x++) {
    const dark = grid[y]![x];
    if (grid[y - 1]![x] === dark && grid[y]![x - 1] === dark && grid[y - 1]![x - 1] === dark) sum += 3;
  }
  const share = (grid.flat().filter(Boolean).length * 100) / (size * size);
  return sum + Math.floor(Math.abs(share - 50) / 5) * 10;
}

function filled(words: readonly number[], version: number, mask: number): boolean[][] {
  const grid = frame(version);
  format(grid, mask);
  const size = grid.length;
  let bit = 0;
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right--;
    for (let i = 0; i < size; i++) for (const x of [right, right - 1]) {
      const y = up ? size - 1 - i : i;
      if (grid[y]![x] !== null) continue;
      const dark = (((words[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
      grid[y]![x] = dark !== MASKS[mask]!(y, x);
      bit++;
    }
  }
  return grid as boolean[][];
}

/** Rows of dark modules; null when the text is too long. */
export function qrCode(text: string, wantedMask?: number): boolean[][] | null {
  const bytes = new TextEncoder().encode(text);
  const version = BLOCKS.findIndex(([, a, b, c, d], i) => a * b + c * d >= bytes.length + (i < 9 ? 2 : 3)) + 1;
  if (version === 0) return null;
  const words = codewords(bytes, version);
  const all = MASKS.map((_, mask) => (wantedMask === undefined || wantedMask === mask ? filled(words, version, mask) : null));
  return all.filter((one) => one !== null).reduce((best, one) => (penalty(one) < penalty(best) ? one : best));
}

/** The modules as the path of an SVG, with the quiet margin that readers need. */
export function qrPath(modules: readonly (readonly boolean[])[], margin = 4): string {
  return modules.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x + margin} ${y + margin}h1v1h-1z`] : []))).join("");
}
