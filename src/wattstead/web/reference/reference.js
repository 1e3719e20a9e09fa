/* Shows an OpenAPI document as a page: every operation with its parameters, body and answers. Sends nothing. */

const METHODS = ["get", "post", "patch", "put", "delete"];

function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

function resolved(spec, schema) {
  if (!schema?.$ref) return schema ?? {};
  return schema.$ref.split("/").slice(1).reduce((part, name) => part?.[name], spec) ?? {};
}

function nameOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  const options = schema.oneOf ?? schema.anyOf;
  if (options) return options.map(nameOf).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list of ${nameOf(schema.items) || "anything"}`;
  return [schema.type].flat().filter(Boolean).join(" or ") || "anything";
}

function limits(schema) {
  const told = [];
  if (schema.minimum !== undefined) told.push(`at least ${schema.minimum}`);
  if (schema.maximum !== undefined) told.push(`at most ${schema.maximum}`);
  if (schema.maxLength !== undefined) told.push(`at most ${schema.maxLength} characters`);
  if (schema.default !== undefined && schema.default !== null) told.push(`default ${JSON.stringify(schema.default)}`);
  return told.join(", ");
}

function table(caption, rows) {
  if (rows.length === 0) return null;
  const body = rows.map(([name, kind, text]) =>
    make("tr", {}, make("th", { scope: "row" }, make("code", {}, name)), make("td", { class: "muted" }, kind), make("td", {}, text)),
  );
  return make("table", {}, make("caption", {}, caption), make("tbody", {}, ...body));
}

function fields(spec, caption, schema) {
  const whole = resolved(spec, schema?.type === "array" ? schema.items : schema);
  const required = new Set(whole.required ?? []);
  const rows = Object.entries(whole.properties ?? {}).map(([name, field]) => {
    const told = [field.description ?? "", limits(field), required.has(name) ? "" : "may be left out"].filter(Boolean);
    return [name, nameOf(field), told.join(" · ")];
  });
  const kind = nameOf(schema);
  return table(kind ? `${caption}: ${kind}` : caption, rows) ?? make("p", {}, kind ? `${caption}: ${kind}` : caption);
}

function operation(spec, path, method, told) {
  const parameters = (told.parameters ?? []).map((parameter) => [
    parameter.name,
    `${parameter.in}, ${nameOf(parameter.schema)}`,
    [parameter.description ?? "", limits(parameter.schema ?? {}), parameter.required ? "needed" : ""].filter(Boolean).join(" · "),
  ]);
  const bodies = Object.entries(told.requestBody?.content ?? {}).map(([type, { schema }]) => fields(spec, `Body (${type})`, schema));
  const answers = Object.entries(told.responses ?? {})
    .filter(([status]) => status.startsWith("2"))
    .flatMap(([status, answer]) => {
      const content = Object.entries(answer.content ?? {});
      if (content.length === 0) return [make("p", {}, `${status}: ${answer.description ?? ""}`)];
      return content.map(([type, { schema }]) => fields(spec, `${status} (${type})`, schema));
    });
  return make(
    "article",
    { id: told.operationId },
    make("h3", {}, make("span", { class: "method" }, method.toUpperCase()), make("code", {}, path)),
    make("p", {}, make("strong", {}, told.summary ?? "")),
    told.description ? make("p", {}, told.description) : null,
    table("Parameters", parameters),
    ...bodies,
    ...answers,
  );
}

function show(spec) {
  document.getElementById("about").textContent = `${spec.info.description ?? ""} Version ${spec.info.version}.`;
  const groups = new Map();
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const tag = item[method].tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), { path, method, told: item[method] }]);
    }
  }
  const contents = document.getElementById("contents");
  const main = document.getElementById("operations");
  main.replaceChildren();
  for (const [tag, operations] of groups) {
    main.append(make("h2", {}, tag));
    for (const { path, method, told } of operations) {
      contents.append(make("a", { href: `#${told.operationId}` }, told.summary ?? path));
      main.append(operation(spec, path, method, told));
    }
  }
}

try {
  const answer = await fetch(new URL("openapi.json", document.baseURI));
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  show(await answer.json());
} catch (error) {
  document.getElementById("operations").textContent = `The document cannot be read: ${error.message}.`;
}
