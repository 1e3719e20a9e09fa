/** Numbers as people read them: three figures, one unit, a narrow no-break space; knows nothing of screens. */

export const NARROW = "\u202f";
export const MINUS = "\u2212";
export const NONE = "–";

/** A unit as shown: numbers in the base unit are divided by `divisor` and written with `decimals`. */
export interface Scaled {
  readonly symbol: string;
  readonly divisor: number;
  readonly decimals: number;
}

const PREFIXED = new Set(["W", "Wh", "VA", "var", "Pa", "Wp", "B"]);
const STEPS: readonly (readonly [number, string])[] = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
  [1, ""],
];
const FIXED_DECIMALS: Readonly<Record<string, number>> = { "°C": 1, V: 1, Hz: 2, A: 2, "%": 0, "": 2, "m³": 2, pulse: 0 };

const formats = new Map<string, Intl.NumberFormat>();

function numberFormat(locale: string, decimals: number, sign: boolean): Intl.NumberFormat {
  const key = `${locale} ${decimals} ${sign}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.NumberFormat(locale, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      signDisplay: sign ? "exceptZero" : "negative",
    });
    formats.set(key, found);
  }
  return found;
}

/** A number with fixed decimals and a true minus sign, in the digits and separators of the language. */
export function fixed(value: number, decimals: number, locale: string, sign = false): string {
  return numberFormat(locale, decimals, sign).format(value).replace("-", MINUS);
}

function figures(size: number): number {
  return size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
}

/** Unit and decimals for one number of that size: three figures, `999.6` W is already `1.00 kW`. */
export function scaleOf(size: number, unit: string): Scaled {
  const magnitude = Math.abs(size);
  if (!PREFIXED.has(unit)) {
    const decimals = unit === "" && Number.isInteger(magnitude) ? 0 : FIXED_DECIMALS[unit];
    return { symbol: unit, divisor: 1, decimals: decimals ?? (magnitude === 0 ? 0 : figures(magnitude)) };
  }
  for (const [divisor, prefix] of STEPS) {
    const scaled = magnitude / divisor;
    if (divisor === 1) return { symbol: unit, divisor, decimals: trimmed(scaled) };
    if (scaled >= 0.9995) return { symbol: prefix + unit, divisor, decimals: figures(scaled) };
  }
  return { symbol: unit, divisor: 1, decimals: 0 };
}

/** In the base unit itself a trailing zero would pretend a precision: 8 W, but 8.25 W. */
function trimmed(value: number): number {
  const decimals = value < 0.005 ? 0 : figures(value);
  let text = value.toFixed(decimals);
  if (!text.includes(".")) return 0;
  text = text.replace(/0+$/, "");
  return text.length - text.indexOf(".") - 1;
}

/** `812 W`, `1.24 kW`, `−3.50 kWh`; no value is an en dash, never 0. */
export function quantity(value: number | null | undefined, unit: string, locale: string, sign = false): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const scaled = scaleOf(value, unit);
  return inUnit(value, scaled, locale, sign);
}

/** A number in a unit chosen before, as within one chart or one table column. */
export function inUnit(value: number | null | undefined, scaled: Scaled, locale: string, sign = false): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = fixed(value / scaled.divisor, scaled.decimals, locale, sign);
  return scaled.symbol === "" ? text : `${text}${NARROW}${shown(scaled.symbol)}`;
}

/** What is written for a unit; a counted pulse is written as `imp`, the word on the meter itself. */
export function shown(symbol: string): string {
  return symbol === "pulse" ? "imp" : symbol;
}

/** A change in percent, always with its sign, without decimals from 10 %; an en dash when there is no ground. */
export function change(now: number, before: number, locale: string): string {
  if (!Number.isFinite(now) || !Number.isFinite(before) || before === 0) return NONE;
  const percent = ((now - before) / Math.abs(before)) * 100;
  const decimals = Math.abs(percent) >= 9.95 ? 0 : 1;
  return `${fixed(percent, decimals, locale, true)}${NARROW}%`;
}

/** A count with the grouping of the language. */
export function count(value: number, locale: string): string {
  return fixed(value, 0, locale);
}
