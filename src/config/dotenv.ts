import { parseEnv } from 'node:util'

/** The variables of a `.env` file's text, in the syntax of Node's `util.parseEnv`. Lines it cannot read are skipped. */
export function parseDotenv(text: string): Readonly<Record<string, string | undefined>> {
  // A byte-order mark, which editors put there unseen, would become part of the first name.
  return parseEnv(text.startsWith('\uFEFF') ? text.slice(1) : text)
}
