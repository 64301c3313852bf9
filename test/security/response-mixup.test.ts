import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { echo, type Origin, type Reply, response, type Script, type Seen } from '../support/origin.ts'
import { type RawClient, request } from '../support/raw-client.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { bearer, tenantToken } from '../support/token.ts'
import { until } from '../support/until.ts'

// The failure that must be impossible: a response of tenant A reaching tenant B. Every test leaves something behind on
// an upstream connection, or in the client's, that a careless proxy would hand to whoever comes next.

let stage: Stage
let origin: Origin

before(async () => {
  stage = await openStage()
  origin = stage.ingest
})
after(() => stage[Symbol.asyncDispose]())

const STOLEN = response('200 OK', [['X-Of', 'tenant-a']], 'the secret of tenant A')

function ask(tenant: string, name: string): Buffer {
  return request('GET', `/api/v1/ingest/${name}`, [bearer(tenantToken(tenant))])
}

/** Answers the named target by `script`, and everything else by its name and tenant. */
function on(name: string, script: Script): void {
  origin.script = (seen, reply) =>
    seen.target.endsWith(`/${name}`) ? script(seen, reply) : named(seen, reply)
}

async function named(seen: Seen, reply: Reply): Promise<void> {
  await seen.body
  await reply.write(response('200 OK', [], `${seen.target} of ${seen.get('x-company-id')}`))
}

/** Tenant B, many times, also on connections that were used before: each answer is its own. */
async function tenantBIsServed(round: string, client?: RawClient): Promise<void> {
  using own = await stage.connect()
  for (let index = 0; index < 5; index++) {
    const name = `b-${round}-${index}`
    const got = await (index % 2 === 0 && client !== undefined ? client : own).ask(ask('tenant-b', name))
    assert.equal(got.text, `/api/v1/ingest/${name} of tenant-b`)
  }
}

describe('tenant B gets its own response', () => {
  test('after the upstream answered tenant A twice, in one segment or two', async () => {
    const after: ((reply: Reply) => Promise<void>)[] = [
      (reply) => reply.write(Buffer.concat([response('200 OK', [], 'one'), STOLEN])),
      async (reply) => {
        await reply.write(response('200 OK', [], 'one'))
        await new Promise(setImmediate)
        await reply.write(STOLEN)
      },
    ]
    for (const [index, write] of after.entries()) {
      on('twice', (_, reply) => write(reply))
      using client = await stage.connect()
      assert.equal((await client.ask(ask('tenant-a', 'twice'))).text, 'one')
      await tenantBIsServed(`twice-${index}`, client)
    }
  })

  test('after bytes were left over behind every kind of ending', async () => {
    const endings = [
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n',
      'HTTP/1.1 204 No Content\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ]
    for (const left of [STOLEN, 'x', '\r\n', 'HTTP/1.1 200 OK\r\nContent-Le'])
      for (const [index, ending] of endings.entries()) {
        on('left', (_, reply) => reply.write(Buffer.concat([Buffer.from(ending), Buffer.from(left)])))
        using client = await stage.connect()
        const got = await client.ask(ask('tenant-a', 'left'))
        assert.ok(got.body.complete && ['one', ''].includes(got.text))
        await tenantBIsServed(`left-${index}`, client)
      }
  })

  test('after an idle upstream connection said something unasked', async () => {
    const idle: Reply[] = []
    on('idle', async (_, reply) => {
      idle.push(reply)
      await reply.write(response('200 OK', [], 'one'))
    })
    for (let round = 0; round < 5; round++) {
      using client = await stage.connect()
      assert.equal((await client.ask(ask('tenant-a', 'idle'))).text, 'one')
      const { open } = origin
      await idle.at(-1)?.write(STOLEN)
      // At once: its idle limit, seconds later, would end it anyway.
      if (round % 2 === 0) await until('the gateway to give it up', () => origin.open < open, 2_500)
      await tenantBIsServed(`idle-${round}`, client)
    }
  })

  test('after the upstream answered a new connection before any request', async () => {
    on('none', named)
    await using eager = await openStage({}, async (_, reply) => reply.write(STOLEN))
    // The first response is the answer to whatever was asked; it must not also be the answer to the next question.
    for (let round = 0; round < 3; round++) {
      using client = await eager.connect()
      await client.ask(ask('tenant-a', `eager-${round}`))
      eager.ingest.script = named
      const got = await client.ask(ask('tenant-b', `eager-b-${round}`))
      assert.equal(got.text, `/api/v1/ingest/eager-b-${round} of tenant-b`)
      eager.ingest.script = (_, reply) => reply.write(Buffer.concat([STOLEN, STOLEN]))
    }
  })

  test('after tenant A left before, within and after its response', async () => {
    const gates: (() => void)[] = []
    on('leaves', async (_, reply) => {
      await reply.write('HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\nthe secret')
      await new Promise<void>((resolve) => void gates.push(resolve))
      await reply.write(' of tenant A')
    })
    for (const [index, leave] of (['leave', 'reset', 'finish'] as const).entries()) {
      const client = await stage.connect()
      await client.send(ask('tenant-a', 'leaves'))
      await client.source.more()
      client[leave]()
      await until('the gate', () => gates.length > index)
      await tenantBIsServed(`leaves-${leave}`)
      gates[index]?.()
      await tenantBIsServed(`left-${leave}`)
      client.leave()
    }
  })

  test('after tenant A left in the middle of its upload', async () => {
    origin.script = named
    for (const body of ['Content-Length: 100', 'Transfer-Encoding: chunked'])
      for (const leave of ['leave', 'reset'] as const) {
        const client = await stage.connect()
        const [name, value] = body.split(': ')
        const { length } = origin.seen
        const fields = [bearer(tenantToken('tenant-a')), [name ?? '', value ?? '']] as const
        await client.send(
          Buffer.concat([request('POST', '/api/v1/ingest/half', fields), Buffer.from('5\r\nhello')]),
        )
        const seen = await origin.sees('/half', length)
        client[leave]()
        assert.equal((await seen.body).complete, false, 'its upstream connection ended')
        await tenantBIsServed(`half-${leave}`)
      }
  })

  test('after the upstream answered tenant A before its upload was over', async () => {
    on('early', (_, reply) => reply.write(response('413 Content Too Large', [], 'too large')))
    for (const rest of ['x'.repeat(95), STOLEN.toString('latin1').padEnd(95).slice(0, 95), '']) {
      using client = await stage.connect()
      const fields = [bearer(tenantToken('tenant-a')), ['Content-Length', '100']] as const
      await client.send(request('POST', '/api/v1/ingest/early', fields, 'hello'))
      const got = await client.read('POST')
      assert.deepEqual([got.status, got.text], [413, 'too large'])
      await client.send(rest)
      await tenantBIsServed('early')
    }
  })

  test('when its request is pipelined behind one that fails, or on a connection both use', async () => {
    on('breaks', (_, reply) => reply.end('garbage\r\n\r\n'))
    using client = await stage.connect()
    await client.send(
      Buffer.concat([
        ask('tenant-a', 'a1'),
        ask('tenant-a', 'breaks'),
        ask('tenant-b', 'b1'),
        ask('tenant-a', 'a2'),
      ]),
    )
    assert.equal((await client.read()).text, '/api/v1/ingest/a1 of tenant-a')
    assert.equal((await client.read()).status, 502)
    assert.equal((await client.read()).text, '/api/v1/ingest/b1 of tenant-b')
    assert.equal((await client.read()).text, '/api/v1/ingest/a2 of tenant-a')
  })

  test('without the cookies of tenant A', async () => {
    on('cookie', (_, reply) =>
      reply.write(response('200 OK', [['Set-Cookie', 'session=tenant-a; Path=/']], 'c')),
    )
    using client = await stage.connect()
    assert.deepEqual((await client.ask(ask('tenant-a', 'cookie'))).all('set-cookie'), [
      'session=tenant-a; Path=/',
    ])
    origin.script = echo
    for (let round = 0; round < 3; round++) {
      const got = await client.ask(ask('tenant-b', 'x'))
      assert.deepEqual(got.all('set-cookie'), [])
      assert.deepEqual(origin.last.all('cookie'), [])
    }
  })
})
