import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { startDataThread } from '../../../src/control/data-thread.ts'
import { routeTo } from '../../support/config-part.ts'
import { ControlStage } from '../../support/control-stage.ts'
import { echo, Origin } from '../../support/origin.ts'
import { askOnce, request } from '../../support/raw-client.ts'
import { PolicyFolder } from './policy-folder.ts'

const folder = new PolicyFolder()
after(() => folder[Symbol.dispose]())

describe('every data thread', () => {
  test('loads the policies itself', async (t) => {
    await using origin = await Origin.start(echo)
    const use = folder.write(
      'thread.ts',
      "import { threadId } from 'node:worker_threads'",
      "import { definePolicy } from 'nyro-gateway'",
      "export const policy = definePolicy({ kind: 'thread', owns: ['X-Thread'], create: (_, { log }) => {",
      "  log('info', 'Policy made', { thread: threadId })",
      "  return { admit: (exchange) => (exchange.assert('X-Thread', String(threadId)), null) }",
      '} })',
    )
    const routes = [routeTo('ingest', '/*', 'none', { policies: [{ use, with: null }] })]
    const settings = { routes, upstreamUrl: origin.url, workers: 2 }
    const stage = new ControlStage(t, settings, { startThread: startDataThread })
    await stage.supervisor.start()
    await stage.event('Policy made', 2)
    const made = stage.events('Policy made')
    assert.deepEqual(
      made.map(({ policy }) => policy),
      ['thread', 'thread'],
    )
    assert.equal(new Set(made.map(({ thread }) => thread)).size, 2)
    assert.equal((await askOnce(stage.port, request('GET', '/1', [['X-Thread', 'forged']]))).status, 200)
    assert.ok(made.some(({ thread }) => String(thread) === origin.last.get('x-thread')))
  })

  test('refuses to start with a policy it cannot use, and says why', async (t) => {
    const use = folder.write('unusable.ts', 'export const other = 1')
    const routes = [routeTo('ingest', '/*', 'none', { policies: [{ use, with: null }] })]
    const stage = new ControlStage(t, { routes, workers: 1 }, { startThread: startDataThread })
    await assert.rejects(
      stage.supervisor.start(),
      /routes\.ingest\.policies\[0\]\.use: the file has no export named policy/,
    )
  })
})
