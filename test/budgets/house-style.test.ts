import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { basename, join, posix } from 'node:path'
import { describe, test } from 'node:test'
import { loadTree, ROOT, type TreeFile } from './tree.ts'

/** What the linter cannot express. */

const MOST_LINES = 400

/** They say that something is there, not what it is. */
const EMPTY_WORDS = new Set(['handler', 'manager', 'util', 'helper', 'context', 'info'])

/** A log level, a member in OpenAPI, and members of OpenTelemetry's spans: words of others. */
const FOREIGN_NAMES = new Set(['info', 'spancontext', 'parentspancontext'])

const tree = loadTree()
const typescript = tree.filter(({ path }) => path.endsWith('.ts'))
const sources = typescript.filter(({ path }) => path.startsWith('src/'))
const ownPath = posix.join('test', 'budgets', basename(import.meta.filename))

describe('house style', () => {
  test('sees the project', () => {
    assert.ok(sources.length > 50, `${sources.length} sources`)
  })

  test(`keeps every source below ${MOST_LINES} lines`, () => {
    assert.deepEqual(
      sources.filter(({ text }) => text.split('\n').length > MOST_LINES).map(({ path }) => path),
      [],
    )
  })

  test('names nothing by an empty word', () => {
    const named = sources.flatMap(({ path, text }) =>
      [...declaredNames(text), basename(path, '.ts')]
        .filter(
          (name) =>
            !FOREIGN_NAMES.has(name.toLowerCase()) && wordsOf(name).some((word) => EMPTY_WORDS.has(word)),
        )
        .map((name) => `${path}: ${name}`),
    )
    assert.deepEqual(named, [])
  })

  test('finds the names a source declares and the words in them', () => {
    const text = [
      'export class RequestHandler {',
      '  readonly retryInfo: string',
      '  #poolManager = null',
      '  static async loadContext(utilFolder: string, { a, b }: Pair): Promise<void> {',
      '    const helperList = 1',
      '    // const comment = 1',
    ].join('\n')
    assert.deepEqual(declaredNames(text), [
      'RequestHandler',
      'helperList',
      'retryInfo',
      'poolManager',
      'loadContext',
      'utilFolder',
    ])
    assert.deepEqual(wordsOf('parseHTTPHeaders2'), ['parse', 'http', 'header', '2'])
    assert.deepEqual(wordsOf('socket-utils'), ['socket', 'util'])
  })

  test('passes no boolean, whose meaning is not seen at the call', () => {
    assert.deepEqual(linesOf(sources, /(?:[(,]\s*|^\s+)[\w$]+\??: boolean\s*(?:[,)]|= )/), [])
  })

  test('leaves no note to finish later', () => {
    const notes = /\b(?:TODO|FIXME|XXX|HACK)\b/
    assert.deepEqual(linesOf(tree.filter(isOwnCode), notes), [])
  })

  test('leaves no half of a merge', () => {
    assert.deepEqual(linesOf(tree, /^(?:<{7}|>{7}) /), [])
  })

  test('comments code out nowhere', () => {
    assert.deepEqual(linesOf(tree.filter(isOwnCode), COMMENTED_OUT), [])
  })

  test('knows code in a comment from prose', () => {
    const code = [
      '// const a = 1',
      '//   return b(c)',
      '// socket.destroy()',
      '// if (a) {',
      "// import { x } from './x.ts'",
      '// }',
    ]
    const prose = [
      '// return to the pool whatever ended well (RFC 9112 section 9.3)',
      '// if the peer is gone, nobody is left to tell',
      '// import nothing heavy here: a thread pays for it at every start',
      '// Date.now() would step',
    ]
    assert.deepEqual(
      code.filter((line) => !COMMENTED_OUT.test(line)),
      [],
    )
    assert.deepEqual(
      prose.filter((line) => COMMENTED_OUT.test(line)),
      [],
    )
  })

  test('silences neither compiler nor linter in the sources', () => {
    assert.deepEqual(linesOf(sources, /@ts-(?:ignore|expect-error|nocheck)|biome-ignore/), [])
  })

  test('names no package host and no folder of one machine', () => {
    const machine = new RegExp(
      ['registry\\.[a-z0-9-]+\\.[a-z]{2,}', '"resolved": "https?:', '/(?:work|root|home/[a-z]+)/'].join('|'),
    )
    assert.deepEqual(
      linesOf(
        tree.filter(({ path }) => path !== ownPath),
        machine,
      ),
      [],
    )
  })

  test('lets documents name only files that are there', () => {
    const gone = tree
      .filter(({ path }) => path.endsWith('.md'))
      .flatMap((document) => namedFiles(document).map((name) => ({ path: document.path, name })))
      .filter(({ name }) => !existsSync(join(ROOT, name)))
      .map(({ path, name }) => `${path}: ${name}`)
    assert.deepEqual(gone, [])
  })
})

const COMMENTED_OUT =
  /^\s*\/\/\s*(?:(?:const|let|var) [\w${[]+.* = |(?:import|export) .* from '|(?:return|await|throw) (?:new )?[\w.]+\(.*\)$|(?:if|for|while) \(.*\) *\{|[\w.]+\([^)]*\)$|[}\]]+[),]*$)/

function isOwnCode({ path }: TreeFile): boolean {
  return path !== ownPath && /^(?:src|test|scripts|bench|bin|examples)\//.test(path)
}

function linesOf(files: readonly TreeFile[], pattern: RegExp): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  )
}

/** Names of what is declared with a keyword, then of members, then of parameters with a type. */
function declaredNames(text: string): readonly string[] {
  const code = text.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')
  const patterns = [
    /\b(?:const|let|function|class|interface|type)\s+([\w$]+)/g,
    /^\s+(?:(?:readonly|static|async|get|set) )*#?([\w$]+)\s*(?:[(<]|\??: |= )/gm,
    /[(,]\s*([\w$]+)\??: /g,
  ]
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map(([, name = '']) => name))
}

/** Lower case, singular. */
function wordsOf(name: string): readonly string[] {
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+/g) ?? []
  return words.map((word) => word.toLowerCase().replace(/s$/, ''))
}

/** Relative links, and paths in backticks that begin at the root; as paths from the root. */
function namedFiles({ path, text }: TreeFile): readonly string[] {
  const links = [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, link = '']) =>
    posix.join(posix.dirname(path), link),
  )
  const paths = [...text.matchAll(/`((?:src|test|scripts|bench|bin|docs|examples)\/[\w./-]+)`/g)]
  return [...links, ...paths.map(([, name = '']) => name)]
}
