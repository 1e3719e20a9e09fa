/** What a language file lacks against the English one: missing or foreign keys, other placeholders, other plural forms. */

type Table = Readonly<Record<string, string>>;

function placeholders(text: string): string {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))].sort().join(" ");
}

export function faults(source: Table, table: Table, language: string): string[] {
  const found: string[] = [];
  for (const [key, text] of Object.entries(source)) {
    const other = table[key];
    if (other === undefined) found.push(`${language}: no message for ${key}`);
    else if (placeholders(other) !== placeholders(text)) {
      found.push(`${language}: ${key} names {${placeholders(other)}}, English names {${placeholders(text)}}`);
    } else if (other.split(" | ").length !== text.split(" | ").length) found.push(`${language}: ${key} has other plural forms`);
    else if (other.trim() === "") found.push(`${language}: ${key} is empty`);
  }
  for (const key of Object.keys(table)) if (!(key in source)) found.push(`${language}: ${key} is not an English message`);
  return found;
}
