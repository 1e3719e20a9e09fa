/** The units a reading may be given in, and their way to the base unit; the server's table in the browser's words. */

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
  "m³/h": ["m³/h", 1, 0],
  "l/h": ["m³/h", 1e-3, 0],
  "m/s": ["m/s", 1, 0],
  "km/h": ["m/s", 1 / 3.6, 0],
  Pa: ["Pa", 1, 0],
  hPa: ["Pa", 1e2, 0],
  bar: ["Pa", 1e5, 0],
  dBm: ["dBm", 1, 0],
  s: ["s", 1, 0],
  ms: ["s", 1e-3, 0],
};

/** A reading told in `unit` as a number in the point's base unit. */
export function toBase(point: { readonly base_unit: string }, unit: string, value: number): number {
  if (unit === point.base_unit) return value;
  const known = UNITS[unit];
  return known && known[0] === point.base_unit ? value * known[1] + known[2] : value;
}
