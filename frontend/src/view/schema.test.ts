import { expect, it } from "vitest";

import type { Schema } from "./schema";
import { adopt, begun, fieldsOf, matters, settingsOf } from "./schema";

const SCHEMA: Schema = {
  $ref: "#/$defs/Broker",
  $defs: {
    Broker: {
      type: "object",
      required: ["host", "password"],
      properties: {
        host: { type: "string", title: "Host", maxLength: 200 },
        port: { type: "integer", title: "Port", minimum: 1, default: 1883 },
        tls: { type: "boolean", title: "TLS", default: false },
        qos: { enum: [0, 1], title: "QoS", default: 1 },
        password: { type: "string", title: "Password", secret: true },
        user: { anyOf: [{ type: "string" }, { type: "null" }], title: "User", default: null },
        certificate: { type: "string", title: "Certificate", maxLength: 20000, default: "" },
        formats: { type: "array", items: { enum: ["emoncms", "shelly"] }, title: "Formats", default: ["shelly"] },
        key: { type: "string", title: "Key", description: "PEM of its key", secret: true, default: "" },
        topics: { type: "array", items: { type: "string" }, title: "Topics", default: [] },
        days: { type: "array", items: { type: "integer" }, title: "Days", default: [1, 2] },
        maps: { type: "array", items: { $ref: "#/$defs/Map" }, title: "Maps", default: [] },
        odd: { anyOf: [{ type: "string" }, { type: "integer" }], title: "Odd", default: 3 },
      },
    },
    Map: { type: "object", required: ["topic"], properties: { topic: { type: "string", title: "Topic" }, path: { type: "string", title: "Path", default: "$" } } },
  },
};
const fields = fieldsOf(SCHEMA);

it("knows a field of each kind", () => {
  expect(Object.fromEntries(fields.map((one) => [one.name, one.kind]))).toEqual({
    host: "text", port: "number", tls: "yes", qos: "choice", password: "secret", user: "text", certificate: "long", formats: "many", key: "long", topics: "lines", days: "lines", maps: "groups", odd: "json",
  });
  expect(fields[11]?.fields.map((one) => one.name)).toEqual(["topic", "path"]);
});

it("gives back what it began with, without the secret", () => {
  const told = { host: "h", port: 8883, tls: true, qos: 0, user: "me", certificate: "", formats: ["emoncms"], topics: ["a", "b/#"], days: [1, 7], maps: [{ topic: "x", path: "$.p" }], odd: "text" };
  expect(settingsOf(fields, begun(fields, told))).toEqual(told);
});

it("begins with the defaults, leaves empty what may be, and keeps a secret that was typed", () => {
  const filled = begun(fields);
  expect(filled).toMatchObject({ host: "", port: 1883, password: "", topics: "", maps: [] });
  const told = settingsOf(fields, { ...filled, host: "h", password: "p", port: "" });
  expect(told).toEqual({ host: "h", tls: false, qos: 1, password: "p", user: null, certificate: "", formats: ["shelly"], topics: [], days: [1, 2], maps: [], odd: 3 });
});

it("takes numbers in lines or in a row, and leaves to the server what is none", () => {
  const days = fields.filter((one) => one.name === "days");
  expect(settingsOf(days, { days: "1, 3\n7" })).toEqual({ days: [1, 3, 7] });
  expect(settingsOf(days, { days: "1\nweek" })).toEqual({ days: [1, "week"] });
});

it("takes over what was found once", () => {
  const filled = begun(fields);
  for (let times = 0; times < 2; times++) adopt(fields, filled, { maps: [{ topic: "t" }], topics: ["a"], port: 1 });
  expect(filled).toMatchObject({ maps: [{ topic: "t", path: "$" }], topics: "a", port: 1 });
});

it("shows what belongs to a choice under that choice alone", () => {
  const line = fieldsOf({ type: "object", properties: { link: { enum: ["tcp", "serial"], default: "tcp" }, baud: { type: "integer", only: { link: ["serial"] } } } });
  expect(line.map((one) => matters(one, { link: "tcp" }))).toEqual([true, false]);
  expect(line.map((one) => matters(one, { link: "serial" }))).toEqual([true, true]);
});
