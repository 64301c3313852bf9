import { randomFillSync } from 'node:crypto'
import { extname, resolve } from 'node:path'
import { apiKeyHash, createApiKey, shownPrefix } from '../api-keys/key-text.ts'
import { parseApiKeys } from '../api-keys/parse-api-keys.ts'
import {
  addKeyEntry,
  type KeyFileEntry,
  KeyFileFault,
  type KeyFileFormat,
  keyEntriesOf,
  removeKeyEntry,
} from '../config/file/key-file.ts'
import { systemClock } from '../lib/clock.ts'
import { describeKey, listedKeys } from './apikey-text.ts'
import { type Arguments, optionValue } from './arguments.ts'
import type { Command } from './command.ts'
import { editFile, FileFault, textOfFile } from './key-file-edit.ts'
import { misuse } from './misuse.ts'
import type { ProcessEdge } from './process-edge.ts'
import { DURATION_FORM, moment, secondsOf } from './time-text.ts'

const DEFAULT_FILE = 'api-keys.yaml'

/** Makes a key, prints it once and keeps its hash. Exits 1 where the file cannot be used, 2 on misuse. */
export function apikeyCreate(edge: ProcessEdge, given: Arguments, commands: readonly Command[]): void {
  const refuse = (fault: string): never => misuse(edge, commands, 'apikey create', fault)
  const key = createApiKey((bytes) => randomFillSync(bytes))
  const entry = entryOf(key, given, refuse)
  const judged = parseApiKeys([entry])
  if (judged.problems !== null) refuse(`needs other values: ${inOptions(judged.problems[0]?.text ?? '')}`)
  const file = fileOf(edge, given)
  attempt(edge, file, () =>
    editFile(file, (text) => {
      const known = judgedEntries(text ?? '', formatOf(file))
      const twin = known.some(({ name }) => name === entry.name)
      if (twin) throw new FileFault(`${file} has a key called ${entry.name} already: choose another name`)
      return addKeyEntry(text ?? '', entry, formatOf(file))
    }),
  )
  const { hash: _, ...shown } = entry
  if (given.options.has('json')) {
    edge.print(`${JSON.stringify({ key, ...shown, file }, null, 2)}\n`)
    return
  }
  edge.print(`${key}\n`)
  edge.complain(
    `${describeKey(shown)}\nIts hash is in ${file}. The key is shown this once: keep it as a password.\n`,
  )
}

/** Lists the keys of a file. Exits 1 where it cannot be used. */
export function apikeyList(edge: ProcessEdge, given: Arguments): void {
  const file = fileOf(edge, given)
  const entries = attempt(edge, file, () => {
    const text = textOfFile(file)
    if (text === null) throw new FileFault(`${file} is not there: nyro apikey create makes it`)
    return judgedEntries(text, formatOf(file))
  })
  const keys = listedKeys(entries, systemClock.wallMs() / 1_000)
  if (given.options.has('json')) {
    edge.print(`${JSON.stringify(keys, null, 2)}\n`)
    return
  }
  edge.print(keys.map((key) => `${describeKey(key)}\n`).join(''))
}

/** Takes a key out of its file. Exits 1 where it is not there. */
export function apikeyRevoke(edge: ProcessEdge, given: Arguments, commands: readonly Command[]): void {
  const name = optionValue(given, 'name') ?? misuse(edge, commands, 'apikey revoke', 'needs --name NAME')
  const file = fileOf(edge, given)
  const prefix = attempt(edge, file, () => {
    let removed: string | null = null
    editFile(file, (text) => {
      const entry = judgedEntries(text ?? '', formatOf(file)).find((candidate) => candidate.name === name)
      const rest = entry === undefined ? null : removeKeyEntry(text ?? '', name, formatOf(file))
      if (entry === undefined || rest === null)
        throw new FileFault(`${file} has no key called ${name}: nyro apikey list shows them`)
      removed = entry.prefix
      return rest
    })
    return removed
  })
  if (given.options.has('json')) {
    edge.print(`${JSON.stringify({ name, prefix, file }, null, 2)}\n`)
    return
  }
  edge.print(`${name} (${prefix}…) is no longer in ${file}.\n`)
}

function entryOf(key: string, given: Arguments, refuse: (fault: string) => never): KeyFileEntry {
  const tenant = optionValue(given, 'tenant') ?? refuse('needs --tenant TENANT')
  const name = optionValue(given, 'name') ?? refuse('needs --name NAME')
  const scopes = (given.options.get('scope') ?? [])
    .flatMap((text) => text.split(' '))
    .filter((word) => word !== '')
  const plan = optionValue(given, 'plan')
  const expires = optionValue(given, 'expires')
  return {
    name,
    tenant,
    prefix: shownPrefix(key),
    hash: apiKeyHash(key),
    ...(scopes.length === 0 ? {} : { scopes }),
    ...(plan === null ? {} : { plan }),
    ...(expires === null ? {} : { expires: endOf(expires, refuse) }),
  }
}

function endOf(text: string, refuse: (fault: string) => never): string {
  const nowS = Math.floor(systemClock.wallMs() / 1_000)
  const seconds = secondsOf(text)
  if (seconds !== null) return moment(nowS + seconds)
  const atS = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) / 1_000 : Number.NaN
  if (Number.isNaN(atS)) return refuse(`takes with --expires a day, a time, or ${DURATION_FORM}`)
  return atS > nowS ? text : refuse('takes with --expires no time that is over')
}

/** Throws KeyFileFault where the file is not what the gateway would load. */
function judgedEntries(text: string, format: KeyFileFormat): readonly KeyFileEntry[] {
  const entries = keyEntriesOf(text, format)
  const { problems } = parseApiKeys(entries)
  if (problems !== null)
    throw new KeyFileFault(`${problems.map(({ text }) => text).join(' ')} It was left as it is`)
  // Type assertion: parseApiKeys found nothing wrong with it.
  return (entries ?? []) as readonly KeyFileEntry[]
}

function attempt<T>(edge: ProcessEdge, file: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof FileFault) edge.complain(`nyro: ${error.message}\n`)
    else if (error instanceof KeyFileFault) edge.complain(`nyro: ${file} cannot be used: ${error.message}.\n`)
    else throw error
    return edge.exit(1)
  }
}

function fileOf(edge: ProcessEdge, given: Arguments): string {
  return resolve(edge.cwd, optionValue(given, 'file') ?? DEFAULT_FILE)
}

/** As the gateway tells them apart. */
function formatOf(file: string): KeyFileFormat {
  return extname(file).toLowerCase() === '.json' ? 'json' : 'yaml'
}

/** Problems of an entry, told of what stood on the command line. */
function inOptions(problem: string): string {
  return problem
    .replace(/^keys\[0\]\.(\w+)/, (_, member: string) => `--${member === 'scopes' ? 'scope' : member}`)
    .replace(/\.$/, '')
}
