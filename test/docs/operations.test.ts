import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { adminOpenapi } from '../../src/control/admin/openapi.ts'
import { loadTree } from '../budgets/tree.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/operations.md')
const sources = loadTree()
  .filter(({ path }) => path.startsWith('src/'))
  .map(({ text }) => text)
  .join('\n')

function section(title: string): string {
  return page.split(`\n## ${title}\n`)[1]?.split(/\n## /)[0] ?? ''
}

describe('docs/operations.md', () => {
  test('lists what the operator listener answers, and nothing else', () => {
    const { paths } = adminOpenapi('1') as { readonly paths: Readonly<Record<string, object>> }
    const served = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter((member) => member !== 'parameters')
        .map((method) => `${method.toUpperCase()} ${path}`),
    )
    const listed = section('Operator listener')
      .split('\n')
      .flatMap((row) => {
        const [, cell = '', path = ''] = /^\| (`[A-Z`, ]+ (\/\S*)`) \|/.exec(row) ?? []
        return (cell.match(/[A-Z]{3,}/g) ?? []).map((method) => `${method} ${path}`)
      })
    assert.deepEqual(listed.sort(), served.sort())
  })

  test('says what each signal does that the process listens for', () => {
    const heard = [...read('src/main.ts').matchAll(/process\.on\('(SIG\w+)'/g)].map(([, name]) => name)
    const rows = section('Signals and draining').match(/^\| SIG.*$/gm) ?? []
    const told = rows.flatMap((row) => row.split('|')[1]?.match(/SIG\w+/g) ?? [])
    assert.ok(heard.length > 3)
    assert.deepEqual(told.sort(), heard.sort())
  })

  test('quotes lines of the log as they are written', () => {
    const quoted = [...page.replaceAll(/\s+/g, ' ').matchAll(/\blines? `([A-Z][^`]*)`/g)].map(
      ([, line = '']) => line,
    )
    assert.ok(quoted.length > 6, quoted.join('\n'))
    assert.deepEqual(
      quoted.filter((line) => !sources.includes(line)),
      [],
    )
  })
})
