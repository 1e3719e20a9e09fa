/** Words for what templates say, and the text that the next revision begins with; pure. */

import { t } from "../messages";

/** What protocols are called, in every language alike. */
const PROTOCOLS: Readonly<Record<string, string>> = { modbus: "Modbus", dsmr: "DSMR (P1)", tic: "TIC (Linky)", mbus: "M-Bus", emoncms: "EmonCMS", mqtt: "MQTT", http: "HTTP" };

export function protocolName(speaks: string): string {
  return speaks === "pulse" ? t("template.pulse") : (PROTOCOLS[speaks] ?? speaks);
}

export function sourceWord(source: string): string {
  return source === "own" ? t("templates.own") : source === "folder" ? t("templates.folder") : t("templates.shipped");
}

/** The same text as another revision; comments and all else stay as they are. */
export function asRevision(text: string, revision: number): string {
  return text.replace(/^(\s*revision\s*:\s*)\d+/m, `$1${revision}`);
}

/** The line of a fault as the server names it, `line 12, points[2].unit`; 1 where it names none. */
export function lineOf(place: string): number {
  return Number(/^line (\d+)/.exec(place)?.[1] ?? 1);
}

/** What a new template begins with: one that can be kept as it is. */
export const BEGINNING = `name: my-meter
revision: 1
title: My meter
speaks: modbus
points:
  - name: Power
    address: power
    quantity: electricity
    direction: net
    unit: W
    role: grid
  - name: Bought
    address: import
    kind: register
    quantity: electricity
    direction: import
    unit: kWh
    role: grid
    scale: 0.01
reporting:
  ethernet: {interval_s: 5}
defaults: {connection: ethernet}
`;
