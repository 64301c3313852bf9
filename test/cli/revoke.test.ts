import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { dispatch } from '../../src/cli/dispatch.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { bearer, CLAIMS, token } from '../support/token.ts'
import { exitCodeOf, FakeEdge } from './fake-edge.ts'

const ADMIN_TOKEN = 'operator-token-0123456789'
/** Of nobody else's tokens here. */
const MINE = bearer(token({ ...CLAIMS, company_id: 'globex', sub: 'ada', jti: 'token-1' }))

let stage: Stage

before(async () => {
  stage = await openStage({ GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN, GATEWAY_WORKERS: '2' })
})
after(() => stage[Symbol.asyncDispose]())

interface Ended {
  readonly code: number | null
  readonly printed: string
  readonly complained: string
}

async function run(
  argv: readonly string[],
  env: FakeEdge['env'] = { GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN },
): Promise<Ended> {
  const edge = new FakeEdge()
  edge.argv = ['revoke', ...argv]
  edge.env = env
  const code = await exitCodeOf(() => dispatch(edge))
  return { code, printed: edge.printed, complained: edge.complained }
}

function admin(): readonly string[] {
  return ['--admin', `http://127.0.0.1:${stage.gateway.adminPort}/`]
}

/** Connections of their own, so that both data threads are asked. */
async function statuses(): Promise<ReadonlySet<number>> {
  const answers = Array.from({ length: 12 }, () => stage.ask('GET', '/api/v1/query/x', [MINE]))
  return new Set((await Promise.all(answers)).map(({ status }) => status))
}

describe('nyro revoke', () => {
  for (const [kind, value] of [
    ['tenant', 'globex'],
    ['subject', 'ada'],
    ['jti', 'token-1'],
  ] as const) {
    test(`has a ${kind} refused by every data thread when it returns, until it is lifted`, async () => {
      assert.deepEqual(await statuses(), new Set([200]))
      const named = [`--${kind}`, value]
      const revoked = await run([...named, '--for', '1h', ...admin()])
      assert.deepEqual(revoked, {
        code: null,
        printed: `${kind} ${value} is revoked for 1h, on every data thread.\n`,
        complained: '',
      })
      assert.deepEqual(await statuses(), new Set([401]))
      const { printed } = await run(['list', ...admin()])
      assert.match(printed, new RegExp(`^${kind}  ${value}  until \\S+ \\(in 60 minutes\\)\n$`))
      const lifted = await run(['lift', ...named, ...admin()])
      assert.equal(lifted.printed, `${kind} ${value} is believed again.\n`)
      assert.deepEqual(await statuses(), new Set([200]))
      assert.equal((await run(['list', ...admin()])).printed, 'Nothing is revoked.\n')
    })
  }

  test('prints JSON for programs', async () => {
    const { printed } = await run(['--subject', 'bob', '--json', ...admin()])
    assert.deepEqual(JSON.parse(printed), { kind: 'subject', value: 'bob', untilS: null, stored: null })
    const list = JSON.parse((await run(['list', '--json', ...admin()])).printed) as object
    assert.deepEqual(list, { revocations: [{ kind: 'subject', value: 'bob', untilS: null }] })
    await run(['lift', '--subject', 'bob', ...admin()])
  })

  test('says what was not revoked, who asked without a token, and that nobody answers', async () => {
    const unknown = await run(['lift', '--jti', 'x', ...admin()])
    assert.deepEqual([unknown.code, unknown.printed], [1, ''])
    assert.match(unknown.complained, /answered 404: No such jti is revoked\.\n$/)
    const stranger = await run(['--jti', 'x', ...admin()], {})
    assert.equal(stranger.code, 1)
    assert.match(stranger.complained, /answered 401; set GATEWAY_ADMIN_TOKEN\n$/)
    const nobody = await run(['list', '--admin', 'http://127.0.0.1:1'])
    assert.equal(nobody.code, 1)
    assert.match(
      nobody.complained,
      /^nyro: the operator listener at http:\/\/127\.0\.0\.1:1 cannot be asked: /,
    )
    assert(!`${unknown.complained}${stranger.complained}`.includes(ADMIN_TOKEN))
  })

  for (const [argv, fault] of [
    [['--jti', 'a', '--tenant', 'b'], 'revoke needs exactly one of --jti, --subject and --tenant'],
    [['--jti', 'a', '--for', '1y'], 'revoke takes as --for a duration such as 30m, 8h or 7d'],
    [['lift'], 'revoke lift needs exactly one of --jti, --subject and --tenant'],
  ] as const) {
    test(`refuses as misuse: ${argv.join(' ')}`, async () => {
      const { code, complained } = await run(argv)
      assert.equal(code, 2)
      assert(complained.startsWith(`nyro: ${fault}. Usage: nyro revoke`), complained)
    })
  }
})
