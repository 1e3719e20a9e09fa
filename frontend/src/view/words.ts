/** Words for roles, quantities and kinds, as messages. */

import type { ApiPoint } from "../api/types";
import type { MessageKey } from "../messages";
import { t } from "../messages";
import { PRICES } from "./units";

export const ROLES = ["none", "home", "grid", "export", "solar", "battery", "ev", "appliance"] as const;
export const QUANTITIES = [
  "unknown", "electricity", "gas", "heat", "cold", "water", "steam", "compressed_air", "oil", "temperature", "humidity",
  "irradiance", "wind", "pressure", "voltage", "current", "frequency", "power_factor", "charge_level", "state", "price",
  "carbon_intensity", "signal", "cloud", "precipitation",
] as const;
export const KINDS = ["gauge", "mean", "register", "delta", "state"] as const;
export const DIRECTIONS = ["none", "import", "export", "net"] as const;

type Known = `role.${(typeof ROLES)[number]}` | `quantity.${(typeof QUANTITIES)[number]}` | `kind.${(typeof KINDS)[number]}` | `direction.${(typeof DIRECTIONS)[number]}`;

/** The word for a value of one of the tables; a value that a newer server knows is shown as it is. */
export function word(table: "role" | "quantity" | "kind" | "direction", value: string): string {
  const tables: Readonly<Record<string, readonly string[]>> = { role: ROLES, quantity: QUANTITIES, kind: KINDS, direction: DIRECTIONS };
  const key = `${table}.${value}` as Known satisfies MessageKey;
  return tables[table]?.includes(value) ? t(key) : value;
}

/** What a point is, in one or two words: its role where it has one, else its quantity. */
export function roleWord(point: Pick<ApiPoint, "role" | "quantity" | "kind">): string {
  const named = point.role && point.role !== "none" ? word("role", point.role) : word("quantity", point.quantity);
  return point.kind === "gauge" || point.kind === "mean" || point.kind === "state" ? named : `${named}, ${word("kind", point.kind)}`;
}

/** Units that fit a quantity, the usual one first. */
export const UNITS_OF: Readonly<Record<string, readonly string[]>> = {
  electricity: ["W", "kW", "MW", "Wh", "kWh", "MWh", "J", "kJ", "MJ", "GJ", "pulse", "VA", "kVA", "var", "kvar"],
  gas: ["m³", "l", "kWh", "Wh", "MWh", "MJ", "therm", "BTU", "ft³", "pulse", "m³/h", "W", "kW"],
  heat: ["kWh", "Wh", "MWh", "MJ", "GJ", "W", "kW", "MW", "pulse"],
  cold: ["kWh", "Wh", "MWh", "MJ", "GJ", "W", "kW", "MW", "pulse"],
  water: ["m³", "l", "gal", "ft³", "l/h", "m³/h", "pulse"],
  steam: ["kWh", "MWh", "GJ", "m³", "m³/h", "pulse"],
  compressed_air: ["m³", "m³/h", "kWh", "pulse"],
  oil: ["l", "m³", "l/h", "kWh"],
  temperature: ["°C", "K", "°F"],
  humidity: ["%"],
  irradiance: ["W/m²"],
  wind: ["m/s", "km/h", "mph", "kn"],
  cloud: ["%"],
  precipitation: ["mm", "cm", "inch"],
  pressure: ["hPa", "Pa", "bar"],
  voltage: ["V", "mV", "kV"],
  current: ["A", "mA"],
  frequency: ["Hz"],
  power_factor: [""],
  charge_level: ["%"],
  state: [""],
  price: ["", ...PRICES],
  carbon_intensity: [""],
  signal: ["dBm"],
  unknown: [""],
};
