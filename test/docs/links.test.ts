import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { describe, test } from 'node:test'
import { loadTree } from '../budgets/tree.ts'

const pages = new Map(
  loadTree()
    .filter(({ path }) => path.endsWith('.md'))
    .map(({ path, text }) => [path, text]),
)

/** As GitHub names headings: lower case, without markup and punctuation, blanks as dashes; the second of a name ends in -1. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>()
  const anchors = [...withoutCode(text).matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, title = '']) => {
    const plain = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
    const times = seen.get(anchor) ?? 0
    seen.set(anchor, times + 1)
    return times === 0 ? anchor : `${anchor}-${times}`
  })
  return new Set(anchors)
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, '')
}

/** Links with a fragment that lead to no heading, by the pages as they are given. */
function brokenAnchors(all: ReadonlyMap<string, string>): readonly string[] {
  return [...all].flatMap(([path, text]) =>
    [...withoutCode(text).matchAll(/\]\((?!\w+:)([^)#\s]*)#([^)\s]+)\)/g)].flatMap(
      ([, file = '', anchor = '']) => {
        const target = file === '' ? path : posix.join(posix.dirname(path), file)
        const page = all.get(target)
        return page !== undefined && anchorsOf(page).has(anchor) ? [] : [`${path}: ${file}#${anchor}`]
      },
    ),
  )
}

// That linked files are there at all is held by test/budgets/house-style.test.ts.
describe('links to a place in a page', () => {
  test('lead to a heading', () => {
    assert.ok(pages.size > 20, `${pages.size} pages`)
    assert.deepEqual(brokenAnchors(pages), [])
  })

  test('would be found out', () => {
    const text = [
      '# A `b` (c)',
      '[x](#a-b-c) [y](#a-c)',
      '## Why?',
      '## Why?',
      '[z](#why-1)',
      '```sh',
      '# d',
      '```',
    ].join('\n')
    const other = '[1](../a.md#why) [2](../a.md#d) [3](gone.md#a) [4](https://example.com/#a)'
    assert.deepEqual(
      brokenAnchors(
        new Map([
          ['a.md', text],
          ['docs/b.md', other],
        ]),
      ),
      ['a.md: #a-c', 'docs/b.md: ../a.md#d', 'docs/b.md: gone.md#a'],
    )
  })
})
