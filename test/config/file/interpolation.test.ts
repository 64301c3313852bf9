import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { interpolate, pathKey } from '../../../src/config/file/interpolation.ts'

const env = { NAME: 'value', EMPTY: '' }

function fill(document: unknown): ReturnType<typeof interpolate> {
  return interpolate(document, {
    env,
    folder: '/etc/nyro',
    readFile: (path) => {
      if (path === '/etc/nyro/latin1') return Uint8Array.of(0xe9)
      if (!path.endsWith('secret')) throw Object.assign(new Error('no'), { code: 'EACCES' })
      return new TextEncoder().encode(`content of ${path}\r\n\n`)
    },
  })
}

function filled(text: string): unknown {
  const { value, faults } = fill(text)
  assert.deepEqual(faults, [])
  return value
}

describe('a reference', () => {
  test('is replaced wherever it stands in a text', () => {
    assert.equal(filled('${NAME}'), 'value')
    assert.equal(filled('a ${NAME} b ${NAME}c'), 'a value b valuec')
  })

  test('takes its default where the variable is not set or empty, as in a shell', () => {
    assert.equal(filled('${NONE:-a:-b}'), 'a:-b')
    assert.equal(filled('${EMPTY:-x}'), 'x')
    assert.equal(filled('${NAME:-x}'), 'value')
    assert.equal(filled('${NONE:-}'), '')
    assert.equal(filled('${EMPTY}'), '')
  })

  test('reads a file, from the folder of the configuration, without one line break at its end', () => {
    assert.equal(filled('${file:/run/secret}'), 'content of /run/secret\r\n')
    assert.equal(filled('${file:./secret}'), 'content of /etc/nyro/secret\r\n')
  })

  test('is literal where a second dollar stands before it, and so is every other dollar', () => {
    assert.equal(filled('$${NAME}'), '${NAME}')
    assert.equal(filled('a$$${NAME}'), 'a$${NAME}')
    assert.equal(filled('$NAME costs 5$ {x}'), '$NAME costs 5$ {x}')
  })

  test('is not looked for in what another yields', () => {
    const { value } = interpolate('${A}', {
      env: { A: '${B}', B: 'b' },
      folder: '/',
      readFile: () => new Uint8Array(),
    })
    assert.equal(value, '${B}')
  })

  test('acts on values at any depth and leaves keys and other kinds alone', () => {
    const { value, references, files } = fill({
      '${NAME}': [1, true, null, { a: '${NAME}', b: '${file:secret}' }],
    })
    assert.deepEqual(value, {
      '${NAME}': [1, true, null, { a: 'value', b: 'content of /etc/nyro/secret\r\n' }],
    })
    assert.equal(references.get(pathKey(['${NAME}', 3, 'a'])), '${NAME}')
    assert.deepEqual(files, ['/etc/nyro/secret'])
  })

  test('that gives nothing is a fault with its path, without the text of a default or a pasted secret', () => {
    const document = {
      a: '${NONE}',
      b: ['${bad name:-s3cr3t}', '${NAME'],
      c: '${file:s3cr3t-of-somebody}',
      d: '${file:./latin1}',
      e: '${}',
    }
    const { faults } = fill(document)
    assert.deepEqual(
      faults.map(({ path, found, kind }) => [path.join('.'), found, kind]),
      [
        ['a', 'names the variable NONE, which is not set', 'invalid'],
        ['b.0', 'has a reference that is not well-formed', 'invalid'],
        ['b.1', 'has a ${ without its }', 'invalid'],
        ['c', 'names ${file:…}, which cannot be read: permission denied', 'unreadable'],
        ['d', 'names ${file:./latin1}, which cannot be read: it is not UTF-8', 'unreadable'],
        ['e', 'has a reference that is not well-formed', 'invalid'],
      ],
    )
    assert.ok(!JSON.stringify(faults).includes('s3cr3t'))
  })
})

describe('a document', () => {
  // The attack: nine aliases of nine aliases, nine levels deep, are a gigabyte once they are followed.
  test('that grows without end by aliases is refused instead of followed', () => {
    let level: unknown = 'lol'
    for (let depth = 0; depth < 12; depth++) level = Array.from({ length: 9 }, () => level)
    const { faults } = fill({ a: level })
    assert.deepEqual(
      faults.map(({ found }) => found),
      ['is deeper or larger than a configuration can be, aliases followed'],
    )
  })

  test('that contains itself is refused instead of followed', () => {
    const circle: unknown[] = []
    circle.push(circle)
    assert.equal(fill({ circle }).faults.length, 1)
  })

  test('cannot set a prototype', () => {
    const { value, faults } = fill(JSON.parse('{"a": {"__proto__": {"b": 1}}}'))
    assert.deepEqual(value, { a: {} })
    assert.deepEqual(
      faults.map(({ path }) => path),
      [['a', '__proto__']],
    )
  })

  test('of other things than plain data names them', () => {
    const { faults } = fill({ a: new Date(0), b: [new Map()], c: undefined })
    assert.deepEqual(
      faults.map(({ path, found }) => [path.join('.'), found]),
      [
        ['a', 'is no plain data'],
        ['b.0', 'is no plain data'],
      ],
    )
  })
})
