/** A tag as people type it, `key=value`, as the change that the server takes; null where it is none. */

export function tagOf(words: string): Readonly<Record<string, string>> | null {
  const [key, ...rest] = words.split("=");
  const name = (key ?? "").trim();
  const value = rest.join("=").trim();
  return name && value ? { [name]: value } : null;
}
