import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminJson, READING } from '../../src/control/admin/admin-answer.ts'
import { AdminServer } from '../../src/control/admin/admin-server.ts'
import { MAX_UNREAD_BYTES } from '../../src/control/admin/unread-answers.ts'
import { askOnce, RawClient, request } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

/** Two find room. Far more than the system itself takes for who does not read. */
const TEXT = 'x'.repeat(MAX_UNREAD_BYTES * 0.4)
const PAGE = request('GET', '/page', [['Host', 'localhost']])
const HUNG = 6

// The attack: a scraper with a time-out of a second that never reads leaves a large page behind with each connection.
test('answers that nobody reads are let go, the oldest first, and who reads is served', async (t) => {
  let asked = 0
  const answer = () => {
    asked++
    return adminJson(200, { TEXT })
  }
  const admin = await AdminServer.listen({
    admin: { host: '127.0.0.1', port: 0, token: null },
    product: { name: 'nyro-gateway', version: '1.2.3', node: '26.0.0' },
    status: () => ({ status: 'ready', threads: 1 }),
    resources: new Map([['/page', { methods: READING, answer }]]),
  })
  t.after(() => admin.close())
  const clients: RawClient[] = []
  for (let count = 1; count <= HUNG; count++) {
    const client = await RawClient.connect(admin.port)
    t.after(() => client.leave())
    await client.send(PAGE)
    await until('it to be answered', () => asked === count)
    clients.push(client)
  }
  const whole = (await askOnce(admin.port, PAGE)).body.length
  assert.ok(whole > TEXT.length)
  const got = await Promise.all(clients.map((client) => client.closed()))
  assert.deepEqual(
    got.map(({ length }) => length > whole),
    [...Array(HUNG - 1).fill(false), true],
  )
})
