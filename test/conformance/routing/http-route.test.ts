import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteConfig } from '../../../src/config/config.ts'
import { upstreamOf } from '../../support/config-part.ts'
import { Origin, response } from '../../support/origin.ts'
import { type RawResponse, request } from '../../support/raw-client.ts'
import { referenceText } from '../../support/reference-data.ts'
import { PlaneStage, planeConfig } from '../../worker/open-plane.ts'
import { type HttpRoute, routesOf, unsupported } from './http-route.ts'

interface Sent {
  readonly Host?: string
  readonly Method?: string
  readonly Path: string
  readonly Headers?: Readonly<Record<string, string>>
}

interface Case {
  readonly Request: Sent
  readonly Backend?: string
  readonly BackendSetResponseHeaders?: Readonly<Record<string, string>>
  readonly ExpectedRequest?: { readonly Request: Sent; readonly AbsentHeaders?: readonly string[] }
  readonly Response?: {
    readonly StatusCode?: number
    readonly Headers?: Readonly<Record<string, string>>
    readonly AbsentHeaders?: readonly string[]
  }
}

interface Suite {
  readonly shortName: string
  readonly manifests: readonly HttpRoute[]
  readonly cases: readonly Case[]
}

const BACKENDS = ['infra-backend-v1', 'infra-backend-v2', 'infra-backend-v3']
const CASES = 96

/** By suite and request: where the operator's language says otherwise. */
const DEVIATIONS: Readonly<Record<string, string>> = {
  'HTTPRouteMethodMatching PATCH / version: four': 'conditions count before methods here, after them there',
}

const text = referenceText('vectors/routing/gateway-api-httproute.json')
const skip = text === null && `${CASES} cases skipped: the vectors are not here`

test('Gateway API: a request goes where an equivalent HTTPRoute sends it, changed as it says', {
  skip,
}, async (t) => {
  const counts = new Map<string, number>()
  const count = (kind: string): void => void counts.set(kind, (counts.get(kind) ?? 0) + 1)
  for (const suite of JSON.parse(text ?? '') as readonly Suite[]) {
    await t.test(suite.shortName, async () => {
      await using stage = await Stage.open(suite)
      for (const each of suite.cases) count(await stage.judge(each))
    })
  }
  for (const [kind, cases] of counts) t.diagnostic(`${cases} cases: ${kind}`)
  assert.equal(
    [...counts.values()].reduce((sum, cases) => sum + cases, 0),
    CASES,
  )
  assert.equal(counts.get('judged'), 89)
})

/** A plane with a suite's routes, and its backends. */
class Stage {
  readonly #suite: Suite
  readonly #routes: readonly { readonly route: RouteConfig; readonly missing: string | null }[]
  readonly #backends: ReadonlyMap<string, Origin>
  readonly #plane: PlaneStage

  private constructor(suite: Suite, backends: ReadonlyMap<string, Origin>, plane: PlaneStage) {
    this.#suite = suite
    this.#routes = tableOf(suite)
    this.#backends = backends
    this.#plane = plane
  }

  static async open(suite: Suite): Promise<Stage> {
    const backends = new Map<string, Origin>()
    for (const name of BACKENDS) backends.set(name, await Origin.start(() => {}))
    const upstreams = [...backends].map(([name, { url }]) => upstreamOf(name, url))
    const routes = tableOf(suite).map(({ route }) => route)
    const plane = await PlaneStage.open(planeConfig('http://127.0.0.1:9', { upstreams, routes }))
    return new Stage(suite, backends, plane)
  }

  /** What became of a case: judged, or why it is not. */
  async judge(each: Case): Promise<string> {
    const sent = each.Request
    const fields = Object.entries(sent.Headers ?? {})
    const method = sent.Method ?? 'GET'
    const title = `${this.#suite.shortName} ${method} ${sent.Path} ${fields.map((field) => field.join(': ')).join()}`
    const deviation = DEVIATIONS[title.trim()]
    if (deviation !== undefined) return deviation
    for (const origin of this.#backends.values()) origin.script = (_, reply) => reply.write(answerOf(each))
    using client = await this.#plane.connect()
    const got = await client.ask(
      request(method, sent.Path, [['Host', sent.Host ?? 'gw.test'], ...fields]),
      method,
    )
    const { route } = (await this.#plane.access(sent.Path.split('?')[0] ?? '')) as { readonly route?: string }
    this.#plane.lines.length = 0
    const missing = this.#routes.find((known) => known.route.name === route)?.missing ?? null
    const seen = this.#takeSeen()
    if (missing !== null) return missing
    if (each.Response?.StatusCode === 404) {
      assert.deepEqual([route, seen], [undefined, []], title)
      return judgeUnknown(got, sent.Path, title)
    }
    assert.equal(got.status, 200, title)
    if (each.Backend !== undefined)
      assert.deepEqual(
        seen.map(({ backend }) => backend),
        [each.Backend],
        title,
      )
    judgeChanges(each, seen[0]?.origin ?? null, got, title)
    return 'judged'
  }

  /** The requests that reached a backend since last asked. */
  #takeSeen(): { readonly backend: string; readonly origin: Origin['last'] }[] {
    return [...this.#backends].flatMap(([backend, { seen }]) =>
      seen.splice(0).map((origin) => ({ backend, origin })),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#plane[Symbol.asyncDispose]()
    for (const origin of this.#backends.values()) await origin[Symbol.asyncDispose]()
  }
}

function tableOf(suite: Suite): { readonly route: RouteConfig; readonly missing: string | null }[] {
  return suite.manifests.flatMap((manifest) =>
    manifest.spec.rules.flatMap((rule, index) =>
      routesOf(manifest, rule, index).map((route) => ({ route, missing: unsupported(rule) })),
    ),
  )
}

function answerOf({ BackendSetResponseHeaders = {} }: Case): Buffer {
  return response('200 OK', Object.entries(BackendSetResponseHeaders), '')
}

/** A path nothing takes is unknown here too; what is known by other methods is a 405, and `/` is the gateway's own. */
function judgeUnknown(got: RawResponse, path: string, title: string): string {
  const isOwn = got.status === 200 && path.split('?')[0] === '/'
  assert.ok(isOwn || got.status === 404 || got.status === 405, `${title}: ${got.status}`)
  return 'judged'
}

function judgeChanges(each: Case, seen: Origin['last'] | null, got: RawResponse, title: string): void {
  const { ExpectedRequest, Response } = each
  const values = (of: { all(name: string): string[] }, name: string): string => of.all(name).join(',')
  if (ExpectedRequest !== undefined) {
    assert.ok(seen !== null, title)
    assert.equal(seen.target, ExpectedRequest.Request.Path, title)
    for (const [name, value] of Object.entries(ExpectedRequest.Request.Headers ?? {}))
      assert.equal(values(seen, name), value, `${title}: ${name}`)
    for (const name of ExpectedRequest.AbsentHeaders ?? [])
      assert.equal(seen.get(name), null, `${title}: ${name}`)
  }
  for (const [name, value] of Object.entries(Response?.Headers ?? {}))
    assert.equal(values(got, name), value, `${title}: ${name}`)
  for (const name of Response?.AbsentHeaders ?? []) assert.deepEqual(got.all(name), [], `${title}: ${name}`)
}
