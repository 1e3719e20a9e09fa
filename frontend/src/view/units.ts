/** The units a reading may be given in, and their way to the base unit; the server's table in the browser's words. */

const CURRENCIES = "EUR GBP CHF SEK NOK DKK PLN CZK HUF RON BGN UAH USD CAD AUD".split(" ");
/** Units of prices of energy, the usual ones first. */
export const PRICES: readonly string[] = [
  "EUR/kWh", "ct/kWh", "p/kWh", ...CURRENCIES.flatMap((one) => [`${one}/kWh`, `${one}/MWh`]).filter((one) => one !== "EUR/kWh"),
];

/** Symbol → base unit, factor, offset: base = value × factor + offset. */
export const UNITS: Readonly<Record<string, readonly [base: string, factor: number, offset: number]>> = {
  W: ["W", 1, 0],
  kW: ["W", 1e3, 0],
  MW: ["W", 1e6, 0],
  VA: ["VA", 1, 0],
  kVA: ["VA", 1e3, 0],
  var: ["var", 1, 0],
  kvar: ["var", 1e3, 0],
  Wh: ["Wh", 1, 0],
  kWh: ["Wh", 1e3, 0],
  MWh: ["Wh", 1e6, 0],
  J: ["Wh", 1 / 3600, 0],
  kJ: ["Wh", 1e3 / 3600, 0],
  MJ: ["Wh", 1e6 / 3600, 0],
  GJ: ["Wh", 1e9 / 3600, 0],
  BTU: ["Wh", 1055.05585262 / 3600, 0],
  therm: ["Wh", 105.4804e6 / 3600, 0],
  pulse: ["pulse", 1, 0],
  V: ["V", 1, 0],
  mV: ["V", 1e-3, 0],
  kV: ["V", 1e3, 0],
  A: ["A", 1, 0],
  mA: ["A", 1e-3, 0],
  Hz: ["Hz", 1, 0],
  "%": ["%", 1, 0],
  "°C": ["°C", 1, 0],
  K: ["°C", 1, -273.15],
  "°F": ["°C", 5 / 9, -160 / 9],
  "W/m²": ["W/m²", 1, 0],
  "m³": ["m³", 1, 0],
  l: ["m³", 1e-3, 0],
  "ft³": ["m³", 0.3048 ** 3, 0],
  gal: ["m³", 0.003785411784, 0],
  "m³/h": ["m³/h", 1, 0],
  "l/h": ["m³/h", 1e-3, 0],
  "m/s": ["m/s", 1, 0],
  "km/h": ["m/s", 1 / 3.6, 0],
  mph: ["m/s", 0.44704, 0],
  kn: ["m/s", 1852 / 3600, 0],
  "°": ["°", 1, 0],
  mm: ["mm", 1, 0],
  cm: ["mm", 10, 0],
  inch: ["mm", 25.4, 0],
  Pa: ["Pa", 1, 0],
  hPa: ["Pa", 1e2, 0],
  bar: ["Pa", 1e5, 0],
  dBm: ["dBm", 1, 0],
  s: ["s", 1, 0],
  ms: ["s", 1e-3, 0],
  ...Object.fromEntries(CURRENCIES.flatMap((one) => [[`${one}/kWh`, [`${one}/kWh`, 1, 0]], [`${one}/MWh`, [`${one}/kWh`, 1e-3, 0]]])),
  "ct/kWh": ["EUR/kWh", 1e-2, 0],
  "p/kWh": ["GBP/kWh", 1e-2, 0],
};

/** A reading told in `unit` as a number in the point's base unit. */
export function toBase(point: { readonly base_unit: string }, unit: string, value: number): number {
  if (unit === point.base_unit) return value;
  const known = UNITS[unit];
  return known && known[0] === point.base_unit ? value * known[1] + known[2] : value;
}
