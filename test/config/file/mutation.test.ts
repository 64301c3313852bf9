// A reload reads whatever an editor, a template or a half-written copy left behind. It may be refused in any way but one:
// an exception would take the control thread with it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readYaml } from '../../../src/config/file/document.ts'
import { judgeDocument } from '../../../src/config/file/load.ts'
import type { Loaded } from '../../../src/config/loaded.ts'
import { Random } from '../../http1/random.ts'
import { loadText, sourceOf } from './load-text.ts'

const ROUNDS = 400
const SEED = 20_260

const texts = ['complete', 'every-key'].map((name) =>
  readFileSync(join(import.meta.dirname, '..', 'golden', 'accepted', `${name}.yaml`), 'utf8'),
)

const VALUES: readonly unknown[] = [
  null,
  undefined,
  0,
  -1,
  1.5,
  Number.NaN,
  1e21,
  10n,
  true,
  '',
  ' ',
  '${X}',
  '${',
  '\u0000',
  'constructor',
  '__proto__',
  'off',
  '*',
  '/',
  '/:',
  'http://[::1',
  'http://x',
  '%',
  [],
  [null],
  {},
  { a: null },
  { constructor: 1, hasOwnProperty: 2 },
  new Date(0),
]
const KEYS = ['constructor', 'toString', '', 'a b', 'x\ny', '*', 'name']
const CHARACTERS = [...'{}[]:,*&"\'#!|>-?%@\t\n x$\\']

function mutate(value: unknown, random: Random): unknown {
  if (random.once(50)) return random.pick(VALUES)
  if (Array.isArray(value)) {
    const items = value.map((item) => mutate(item, random))
    return random.once(20) ? [...items, ...items] : items
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(() => !random.once(60))
  return Object.fromEntries(
    entries.map(([key, member]) => [random.once(80) ? random.pick(KEYS) : key, mutate(member, random)]),
  )
}

function assertWellTold(loaded: Loaded): void {
  const lines = loaded.config === null ? loaded.problems : []
  assert.ok(loaded.config !== null || lines.length > 0, 'refused without a reason')
  for (const line of [...lines, ...loaded.warnings]) {
    assert.doesNotMatch(line, /undefined|\[object|[\r\n]/)
  }
}

test('a document with anything anywhere is taken or refused in words', async () => {
  const random = new Random(SEED)
  const documents = texts.map((text) => readYaml(text).value)
  for (let round = 0; round < ROUNDS; round++) {
    const document = mutate(random.pick(documents), random)
    assertWellTold(await judgeDocument(document, { path: '/etc/nyro.ts', files: [] }, sourceOf({})))
  }
})

test('a text with any characters anywhere is taken or refused in words', async () => {
  const random = new Random(SEED)
  for (let round = 0; round < ROUNDS / 4; round++) {
    const characters = [...random.pick(texts)]
    for (let edits = 1 + random.below(4); edits > 0; edits--) {
      characters[random.below(characters.length)] = random.pick(CHARACTERS)
    }
    assertWellTold(await loadText(characters.join('')))
  }
})

test('a text that ends early is taken or refused in words', async () => {
  const random = new Random(SEED)
  for (let round = 0; round < ROUNDS / 4; round++) {
    const text = random.pick(texts)
    assertWellTold(await loadText(text.slice(0, random.below(text.length))))
  }
})
