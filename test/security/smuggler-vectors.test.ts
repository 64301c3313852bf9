import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Told } from '../support/origin.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { wireVectors } from '../support/reference-data.ts'
import { openStage, type Stage } from '../support/stage.ts'

// The attack: the mutations of Transfer-Encoding that a published smuggling scanner tries, each in its CL.TE and TE.CL
// form, on a route that asks for no token. Whatever the answer is: the upstream reads at most the one request the
// gateway understood, whole, and whoever comes next gets a response of their own.

const vectors = wireVectors('smuggler-default')
const PATH = '/api/auth/smuggler'

let stage: Stage

before(async () => {
  stage = await openStage({ GATEWAY_HTTP_CLIENT_TIMEOUT: '5' })
})
after(async () => {
  assert.deepEqual(stage.auth.violations, [])
  await stage[Symbol.asyncDispose]()
})

test('the scanner’s requests are here, or this says that they were skipped', (t) => {
  if (vectors === null) t.skip('268 requests were skipped: the vectors did not come with this checkout')
})

describe('a smuggling attempt', () => {
  const byMutation = Map.groupBy(vectors ?? [], ({ desc }) => desc)
  for (const [mutation, attempts] of byMutation)
    test(`by ${mutation} reaches nobody else`, async () => {
      for (const { id, raw } of attempts) {
        const { length } = stage.auth.seen
        const bytes = raw.replaceAll('__PATH__', PATH).replaceAll('__HOST__', 'gw.test')
        using client = await RawClient.connect(stage.port)
        void client.send(bytes)
        // The scanner waits for a timeout instead; nothing more comes either way.
        client.finish()
        const answer = (await client.closed()).toString('latin1')
        assert.ok((answer.match(/^HTTP\/1\.1 /gm) ?? []).length <= 2, answer)
        const seen = stage.auth.seen.slice(length)
        assert.ok(seen.length <= 1, `${id}: ${seen.map((each) => each.target)}`)
        for (const each of seen) {
          assert.equal(each.target, `${PATH}?cb=1`)
          assert.equal(
            (await each.body).complete || answer === '' || answer.startsWith('HTTP/1.1 4'),
            true,
            id,
          )
        }
        const next = `/api/auth/next-${id}`
        const got = await stage.ask('GET', next)
        assert.equal(got.json<Told>().target, next, id)
      }
    })

  test('is refused where it hides a Transfer-Encoding beside a Content-Length that a lenient reader would see', async () => {
    for (const { id, raw } of (vectors ?? []).filter(({ desc }) =>
      /^(tabprefix|nameprefix|space1|midspace|postspace|prespace-20|endspace)/.test(desc),
    )) {
      using client = await RawClient.connect(stage.port)
      void client.send(raw.replaceAll('__PATH__', PATH).replaceAll('__HOST__', 'gw.test'))
      client.finish()
      assert.match((await client.closed()).toString('latin1'), /^HTTP\/1\.1 (400|501) /, id)
    }
  })

  test('leaves the gateway serving', async () => {
    using client = await stage.connect()
    assert.equal((await client.ask(request('GET', '/health'))).status, 200)
  })
})
