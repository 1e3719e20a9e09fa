/** The line that posts one reading from a terminal; pure. */

/** Written so that it works in sh, bash and zsh as pasted. Where a server vouches for itself, `trust` is the address at
 * which its papers are: the line begins by getting its certificate. */
export function curlLine(server: string, key: string, point: string, value: number, trust = ""): string {
  const body = JSON.stringify({ readings: [{ point, time: 0, value }] });
  const [head, tail] = body.split('"time":0');
  const quoted = (text: string | undefined) => `'${(text ?? "").replaceAll("'", `'\\''`)}'`;
  return [
    ...(trust ? [`curl -s -o wattstead.pem '${trust}/wattstead.pem' &&`, `curl --cacert wattstead.pem -X POST '${server}api/v1/readings'`] : [`curl -X POST '${server}api/v1/readings'`]),
    `-H 'Authorization: Bearer ${key}'`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(`${head}"time":`)}$(date +%s)${quoted(tail)}`,
  ].join(" \\\n  ");
}
