import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Address, type Addresses, type Lookup, Resolver } from '../../src/control/resolver.ts'
import type { LogFields } from '../../src/observe/log-line.ts'
import { ManualTime, settled } from '../support/manual-time.ts'

const at = (...addresses: readonly string[]): readonly Address[] =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

type Script = readonly Address[] | string | 'hang'

/** Each name answers what the test last wrote for it; a string is an error's code. */
function stage(answers: Record<string, Script>) {
  const time = new ManualTime()
  const asked: string[] = []
  const posted: [string, Addresses][] = []
  const logged: { readonly event: string; readonly fields: LogFields }[] = []
  const lookup: Lookup = (host) => {
    asked.push(host)
    const answer = answers[host] ?? 'ENOTFOUND'
    if (answer === 'hang') return new Promise(() => {})
    if (typeof answer === 'string') return Promise.reject(Object.assign(new Error(answer), { code: answer }))
    return Promise.resolve(answer)
  }
  const resolver = new Resolver({
    lookup,
    startTimer: time.startTimer,
    log: { log: (level, event, fields) => void (level === 'debug' || logged.push({ event, fields })) },
    changed: (host, addresses) => posted.push([host, addresses]),
  })
  const hosts = Object.keys(answers)
  const start = (): void => resolver.follow(hosts)
  const known = (): Record<string, Addresses> => {
    const entries = hosts.map((host) => [host, resolver.addressesOf(host)] as const)
    return Object.fromEntries(entries.filter((entry): entry is [string, Addresses] => entry[1] !== null))
  }
  return { answers, time, asked, posted, logged, resolver, start, known }
}

test('a name is absent until its first answer, then known and posted', async () => {
  const { posted, start, known } = stage({ a: at('10.0.0.1', 'fd00::1') })
  start()
  assert.deepEqual(known(), {})
  await settled()
  assert.deepEqual(known(), { a: at('10.0.0.1', 'fd00::1') })
  assert.deepEqual(posted, [['a', at('10.0.0.1', 'fd00::1')]])
})

test('names are resolved again each 30 s, and only a change is posted', async () => {
  const { answers, time, asked, posted, start } = stage({ a: at('10.0.0.1', '10.0.0.2') })
  start()
  await time.pass(29_999)
  assert.equal(asked.length, 1)
  answers['a'] = at('10.0.0.2', '10.0.0.1')
  await time.pass(1)
  assert.equal(asked.length, 2)
  assert.equal(posted.length, 1)
  answers['a'] = at('10.0.0.2', '10.0.0.3')
  await time.pass(30_000)
  assert.deepEqual(posted.slice(1), [['a', at('10.0.0.2', '10.0.0.3')]])
})

test('the last good answer serves while the resolver fails, whatever it says', async () => {
  const { answers, time, posted, logged, start, known } = stage({ a: at('10.0.0.1') })
  start()
  await time.pass(1)
  for (const code of ['EAI_AGAIN', 'ENOTFOUND', 'ENODATA']) {
    answers['a'] = code
    await time.pass(60_000)
    assert.deepEqual(known(), { a: at('10.0.0.1') })
  }
  answers['a'] = []
  await time.pass(60_000)
  assert.deepEqual(known(), { a: at('10.0.0.1') })
  answers['a'] = at('10.0.0.1')
  await time.pass(60_000)
  assert.equal(posted.length, 1)
  assert.deepEqual(logged, [
    { event: 'Name not resolved', fields: { host: 'a', code: 'EAI_AGAIN', last_answer_serves: true } },
    { event: 'Name resolved again', fields: { host: 'a' } },
  ])
})

test('a failed lookup is repeated after 1, 2, 4 and then each 5 s', async () => {
  const { time, asked, start } = stage({ a: 'EAI_AGAIN' })
  start()
  const timesMs: number[] = []
  for (let second = 0; second < 25; second++) {
    const before = asked.length
    await time.pass(second === 0 ? 0 : 1_000)
    if (asked.length > before || second === 0) timesMs.push(second)
  }
  assert.deepEqual(timesMs, [0, 1, 3, 7, 12, 17, 22])
})

test('a name that does not exist is unknown, until it does', async () => {
  const { answers, time, posted, start, known } = stage({ a: 'ENOTFOUND', b: 'ENODATA', c: 'EAI_AGAIN' })
  start()
  await time.pass(10_000)
  assert.deepEqual(known(), { a: 'unknown', b: 'unknown' })
  assert.equal(posted.length, 2)
  answers['a'] = at('10.0.0.1')
  await time.pass(5_000)
  assert.deepEqual(known(), { a: at('10.0.0.1'), b: 'unknown' })
})

test('a lookup that hangs is not asked twice and holds up no other name', async () => {
  const { answers, time, asked, start, known } = stage({ a: 'hang', b: at('10.0.0.1') })
  start()
  await time.pass(30_000)
  answers['b'] = at('10.0.0.2')
  await time.pass(30_000)
  assert.deepEqual(known(), { b: at('10.0.0.2') })
  assert.equal(asked.filter((host) => host === 'a').length, 1)
})

test('after closing nothing is asked or posted, not even by an answer on its way', async () => {
  const { resolver, time, asked, posted, start } = stage({ a: at('10.0.0.1') })
  start()
  resolver.close()
  await time.pass(60_000)
  assert.equal(asked.length, 1)
  assert.equal(posted.length, 0)
  assert.equal(time.waiting, 0)
})

test('names come and go: a new one is asked for at once, a known one not again, one that left no more', async () => {
  const { answers, resolver, time, asked, posted } = stage({ a: at('10.0.0.1'), b: at('10.0.0.2') })
  resolver.follow(['a'])
  await time.pass(1)
  resolver.follow(['a', 'b'])
  await time.pass(1)
  assert.deepEqual(asked, ['a', 'b'])
  answers['a'] = at('10.0.0.3')
  resolver.follow(['b'])
  await time.pass(30_000)
  assert.deepEqual(asked, ['a', 'b', 'b'])
  assert.equal(resolver.addressesOf('a'), null)
  assert.equal(posted.length, 2)
})
