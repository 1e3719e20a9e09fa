/** English made 40 % longer and accented: shows in tests what is not translated and what does not fit. */

const ACCENTS: Readonly<Record<string, string>> = { a: "á", e: "é", i: "î", o: "ö", u: "û", c: "ç", n: "ñ", y: "ý" };

export function stretched(text: string): string {
  const accented = text.replace(/\{\w+\}|[a-z]/g, (part) => (part.length > 1 ? part : (ACCENTS[part] ?? part)));
  const forms = accented.split(" | ").map((form) => {
    const more = Math.ceil(form.replace(/\{\w+\}/g, "").length * 0.4);
    return `${form}${"·".repeat(Math.min(more, 3))}${"ôñé ".repeat(Math.ceil(Math.max(0, more - 3) / 4)).trimEnd()}`;
  });
  return forms.join(" | ");
}
