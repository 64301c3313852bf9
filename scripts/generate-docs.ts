// Writes the reference pages under docs/ that are made from the code's own tables, so that they cannot say anything
// else than the code does; a test compares them.
import { writeFileSync } from 'node:fs'
import { OVERRIDING } from '../src/config/file/override.ts'
import { prefix, SETTINGS, type Setting } from '../src/config/setting.ts'
import { TIME_LIMIT_MS } from '../src/config/typescript/load.ts'
import { FAILURES } from '../src/proxy/failure.ts'
import { commandReference } from './command-reference.ts'
import { configFileReference } from './config-file-reference.ts'
import { metricReference } from './metric-reference.ts'

/** The generated pages: text by path below the project's root. */
export function generatedDocs(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/commands.md', commandReference(notice)],
    ['docs/configuration.md', configurationPage()],
    ['docs/failures.md', failuresPage()],
    ['docs/metrics.md', metricReference(notice)],
  ])
}

const notice = '<!-- Made by scripts/generate-docs.ts: run it after a change of the tables it reads. -->'

function configurationPage(): string {
  const settings = Object.entries<Setting<unknown, string | null>>(SETTINGS)
  const sections = settings.map(([name, definition]) => {
    const facts = [
      ['Default', definition.fallback === null ? (definition.unset ?? '') : `\`${definition.fallback}\``],
      ['Accepts', definition.format.accepts],
      ...(definition.unit === undefined ? [] : [['Unit', definition.unit]]),
    ]
    const list = facts.map(([key, value]) => `- ${key}: ${value}`).join('\n')
    return `### ${prefix}${name}\n\n${definition.meaning}\n\n${list}\n`
  })
  const rows = settings.map(([name, definition]) => [
    `[${name}](#${(prefix + name).toLowerCase()})`,
    definition.fallback === null ? (definition.unset ?? '') : `\`${definition.fallback}\``,
    definition.unit ?? '',
  ])
  return `# Configuration

${notice}

One configuration, three doors: environment variables alone (and the file \`.env\` of the working directory), which need
\`${prefix}JWT_SECRET\` or \`${prefix}JWT_SECRET_FILE\`; a [YAML or JSON file](#configuration-file); a
[TypeScript file](#typescript-file). \`${prefix}CONFIG\` or \`nyro start --config FILE\` names a file.

## Rules

- Every name has the prefix \`${prefix}\`. Letter case does not count; of two spellings the one below wins.
- Real variables win over \`.env\`, which is read in the syntax of Node's \`util.parseEnv\`: there, \`#\` begins a remark
  unless the value is quoted, so quote secrets.
- White space around a value is dropped, except in secrets, where it counts.
- An empty variable counts as unset and yields the default, even if \`.env\` sets it. The exception is
  \`${prefix}JWT_SECRET\`: empty, it is refused, for it is mostly a mistake of what filled it in.
- An unknown \`${prefix}*\` variable is ignored with a warning that names the nearest known one.
- \`${prefix}SERVICE_*\`, \`${prefix}PORT_*\`, and a \`${prefix}PORT\` or \`${prefix}ADMIN_PORT\` that holds \`://\`, are what
  Kubernetes injects for Services: ignored, the ports with a warning.
- A bad setting keeps the gateway from starting. All of them are named at once on standard error, with what was found
  (never for secrets), what is expected and what to do. Exit status 2; 1 if the only fault is a file that cannot be
  read.

${typescriptPart()}
## Settings

${table(['Setting', 'Default', 'Unit'], rows)}
${sections.join('\n')}
${configFilePart()}`
}

function typescriptPart(): string {
  return `## TypeScript file

The same keys as the default export of a module (\`.ts\`, \`.mts\`, \`.js\`, \`.mjs\`), checked by your own compiler:

\`\`\`ts
import { defineGateway } from 'nyro-gateway'

export default defineGateway({
  identity: { jwt: [{ name: 'nyro', secret: '\${GATEWAY_JWT_SECRET}', algorithms: ['HS256'] }] },
  upstreams: { query: { endpoints: ['http://query:8000'], timeouts: { head: '5s' } } },
  routes: [{ name: 'query', match: { path: '/api/v1/query/*' }, upstream: 'query' }],
})
\`\`\`

- It is evaluated at the start and at every reload in a thread of its own, within ${TIME_LIMIT_MS / 1_000} s, and only plain data leaves
  that thread: a function or an instance of a class is refused with its path. What a policy does goes into a file of its
  own, named by \`policies: [{ use: './sign.ts', with: { … } }]\`.
- \`nyro-gateway\` is the running product there: nothing has to be installed but for your compiler and editor.
- Types are stripped, not compiled: no \`enum\`, no \`namespace\`, and imports with their endings.
- \`process.env\` has the variables and those of \`.env\`, as a copy. Write secrets as references (\`'\${NAME}'\`) rather
  than by \`process.env\`: what a reference yields is never shown, whatever key it stands at.
- What it prints is a warning of the start, and no line of the log.
- A change of it or of a local module it imports is a change of the configuration.
`
}

function configFilePart(): string {
  const rows = configFileReference()
  const sections = Map.groupBy(rows, ({ path }) => path.split(/[.[]/, 1)[0] ?? '')
  const parts = [...sections].map(([name, keys]) => {
    const [first] = keys
    const cells = keys.map(({ path, fallback, accepts, meaning }) => [
      `\`${path}\``,
      fallback,
      accepts.replaceAll('<', '\\<'),
      meaning,
    ])
    const title = first?.path === name ? `${first.meaning}\n\n` : ''
    return `### ${name}\n\n${title}${table(['Key', 'Default', 'Accepts', 'Meaning'], cells)}`
  })
  return `## Configuration file

YAML 1.2 (\`.yaml\`, \`.yml\`) or JSON (\`.json\`), all of it by one schema. \`nyro schema\` prints it as JSON Schema, for
editors.

- Durations: \`250ms\`, \`10s\`, \`5m\`, \`24h\`. Sizes: \`512B\`, \`64KiB\`, \`10MiB\`. Rates: \`10/s\`, \`600/m\`, \`10000/day\`.
  Shares: \`20%\`.
- \`\${NAME}\` is a variable of the environment or, where that has none, of \`.env\`; \`\${NAME:-default}\` stands in where it
  is not set or empty; \`\${file:/run/secrets/x}\` is the text of a file, without the line break at its end. They stand in
  values, not in keys, and are typed by the schema afterwards. \`$\${\` is a literal \`\${\`. Inside \`{ }\` and \`[ ]\`, YAML
  wants quotes around them. What they yield is never shown.
- Relative paths are taken from the folder of the file.
- Aliases (\`&name\`, \`*name\`, \`<<\`) work as YAML has them; tags do not.
- The variables ${OVERRIDING.map((name) => `\`${prefix}${name}\``).join(', ')} win over the file. The others have no
  effect beside it, but in references.
- Everything wrong is reported at once, a line each: place, key, what was found, what is expected, what to do. A key that
  nobody knows is an error.

${parts.join('\n')}`
}

function failuresPage(): string {
  const replays = { always: 'always', idempotent: 'idempotent methods', never: 'never' } as const
  const rows = Object.entries(FAILURES)
    .toSorted(([, left], [, right]) => left.status - right.status)
    .map(([code, { status, title, detail, side, replay }]) => [
      String(status),
      `\`${code}\``,
      title,
      detail,
      side,
      replays[replay],
    ])
  return `# Failures

${notice}

Every response that the gateway makes itself and that is not a success is one of these; the list is closed. It is
\`application/problem+json\` (RFC 9457) with \`type\` (\`urn:problem-type:nyro:<code>\`), \`title\`, \`status\`, \`detail\`,
\`code\` and \`request_id\`. Programs should look at \`code\`. \`detail\` is for people: some failures add to the text below,
naming the upstream or the claims that are missing, never a host, a token or a secret.

*Side* is who is to blame: the client, the gateway, or the upstream. *Another try* is when the gateway itself, or
whoever stands in front of it, may send the request again without doing something twice.

${table(['Status', 'Code', 'Title', 'Detail', 'Side', 'Another try'], rows)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}

if (import.meta.main) {
  for (const [path, text] of generatedDocs()) writeFileSync(new URL(`../${path}`, import.meta.url), text)
}
