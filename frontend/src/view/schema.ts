/** What a JSON schema says of a form: which fields there are, of which kind, what they begin with; draws nothing. */

export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly (string | number | null)[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly secret?: boolean;
  /** Values that other fields of the same form must have for this one to mean something. */
  readonly only?: Readonly<Record<string, readonly unknown[]>>;
}

export type Kind = "text" | "long" | "secret" | "number" | "yes" | "choice" | "many" | "group" | "groups" | "lines" | "json";

export interface Field {
  readonly name: string;
  readonly kind: Kind;
  readonly schema: Schema;
  /** May be left empty, which is null. */
  readonly optional: boolean;
  readonly required: boolean;
  /** Of a group, and of each of several. */
  readonly fields: readonly Field[];
}

/** Texts longer than that are written in several lines, as certificates and their keys are. */
const LONG = 1000;
const isNumber = (one: Schema) => one.type === "integer" || one.type === "number";
const isLong = (one: Schema) => (one.maxLength ?? 0) > LONG || /\bPEM\b/.test(one.description ?? "");

/** The fields of the schema's own struct, in its order. */
export function fieldsOf(root: Schema): readonly Field[] {
  return fields(resolved(root, root), root, 0);
}

function fields(struct: Schema, root: Schema, depth: number): readonly Field[] {
  return Object.entries(struct.properties ?? {}).map(([name, told]) => field(name, told, struct, root, depth));
}

function field(name: string, told: Schema, struct: Schema, root: Schema, depth: number): Field {
  const parts = told.anyOf ?? [told];
  const filled = parts.filter((part) => part.type !== "null");
  const optional = filled.length < parts.length;
  const one = filled.length === 1 ? { ...told, ...resolved(filled[0]!, root), ...titles(told, filled[0]!) } : told;
  const kind = filled.length === 1 && depth < 4 ? kindOf(one, root) : "json";
  const inner = kind === "group" ? one : kind === "groups" ? resolved(one.items as Schema, root) : {};
  return { name, kind, schema: one, optional, required: struct.required?.includes(name) ?? false, fields: fields(inner, root, depth + 1) };
}

function titles(told: Schema, part: Schema): Schema {
  const title = told.title ?? part.title;
  const description = told.description ?? part.description;
  return { ...(title ? { title } : {}), ...(description ? { description } : {}) };
}

function kindOf(one: Schema, root: Schema): Kind {
  if (one.secret) return isLong(one) ? "long" : "secret";
  if (one.enum) return "choice";
  if (one.type === "boolean") return "yes";
  if (isNumber(one)) return "number";
  if (one.type === "string") return isLong(one) ? "long" : "text";
  if (one.type === "object" && one.properties) return "group";
  if (one.type === "array" && typeof one.items === "object") {
    const each = resolved(one.items, root);
    if (each.properties) return "groups";
    if (each.enum) return "many";
    if (each.type === "string" || isNumber(each)) return "lines";
  }
  return "json";
}

function resolved(told: Schema, root: Schema): Schema {
  const name = told.$ref?.split("/").at(-1);
  return name ? { ...told, ...root.$defs?.[name] } : told;
}

/** Whether a field means something beside what is filled in elsewhere. */
export function matters(one: Field, filled: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(one.schema.only ?? {}).every(([name, values]) => values.includes(filled[name]));
}

/** What a form begins with: what is known, else the default; a secret begins empty. */
export function begun(all: readonly Field[], known: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(all.map((one) => [one.name, beginning(one, known[one.name])]));
}

function beginning(one: Field, known: unknown): unknown {
  if (one.schema.secret) return "";
  if (one.kind === "group" && (known !== undefined || !one.optional)) return begun(one.fields, (known ?? one.schema.default ?? {}) as Record<string, unknown>);
  if (one.kind === "groups") return ((known ?? one.schema.default ?? []) as readonly Record<string, unknown>[]).map((each) => begun(one.fields, each));
  const value = known === undefined ? one.schema.default : known;
  if (one.kind === "many") return [...((value ?? []) as readonly unknown[])];
  if (one.kind === "lines") return ((value ?? []) as readonly (string | number)[]).join("\n");
  if (one.kind === "json") return value === undefined ? "" : JSON.stringify(value, null, 2);
  return value ?? (one.kind === "yes" ? false : one.kind === "choice" ? (one.optional ? "" : one.schema.enum?.[0]) : "");
}

/** The settings that a filled-in form stands for; what is empty and has no need to be there is left out. Raises `SyntaxError`. */
export function settingsOf(all: readonly Field[], filled: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const told: Record<string, unknown> = {};
  for (const one of all) {
    const value = valueOf(one, filled[one.name]);
    if (value !== undefined) told[one.name] = value;
  }
  return told;
}

function valueOf(one: Field, value: unknown): unknown {
  if (one.schema.secret) return value === "" ? undefined : value;
  if (one.kind === "group") return value ? settingsOf(one.fields, value as Record<string, unknown>) : one.optional ? null : undefined;
  if (one.kind === "groups") return ((value ?? []) as readonly Record<string, unknown>[]).map((each) => settingsOf(one.fields, each));
  if (one.kind === "lines") return lines(one, String(value).split("\n").map((line) => line.trim()).filter(Boolean));
  if (one.kind === "json") return value === "" ? undefined : JSON.parse(String(value));
  if (value === "" && (one.kind === "number" || one.kind === "choice" || one.optional)) return one.optional ? null : undefined;
  return value;
}

/** Lines as the list wants them; what is no number stays as it was typed, so that the server says which it was. */
function lines(one: Field, typed: readonly string[]): readonly (string | number)[] {
  if (typeof one.schema.items !== "object" || !isNumber(one.schema.items)) return typed;
  return typed.flatMap((line) => line.split(/[\s,;]+/)).map((word) => (Number.isNaN(Number(word)) ? word : Number(word)));
}

/** Puts what a look has found into the form: lists grow by it, everything else is set. */
export function adopt(all: readonly Field[], filled: Record<string, unknown>, found: Readonly<Record<string, unknown>>): void {
  for (const one of all) {
    if (!(one.name in found)) continue;
    const more = beginning(one, found[one.name]);
    const held = filled[one.name];
    if (one.kind === "groups" && Array.isArray(held)) {
      const known = new Set(held.map((each) => JSON.stringify(each)));
      held.push(...(more as readonly unknown[]).filter((each) => !known.has(JSON.stringify(each))));
    } else if (one.kind === "lines") filled[one.name] = [...new Set(`${String(held)}\n${String(more)}`.split("\n").filter(Boolean))].join("\n");
    else filled[one.name] = more;
  }
}
