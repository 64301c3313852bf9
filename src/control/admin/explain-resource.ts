import type { Config } from '../../config/config.ts'
import type { Asked } from '../../explain/asked.ts'
import type { LiveUpstream } from '../../upstreams/live-upstream.ts'
import type { IdentityBirth } from '../../worker/thread-identity.ts'
import { type AdminAnswer, type AdminResource, adminJson, adminProblem } from './admin-answer.ts'
import { type ExpectedBody, judgeBody, wrongMember } from './json-body.ts'

export interface ExplainView {
  /** In force. */
  readonly config: () => Config
  readonly live: () => readonly LiveUpstream[]
  /** What the data threads share of upstreams and endpoints. */
  readonly memory: SharedArrayBuffer
  /** What data threads know of published keys and revocations. */
  readonly identity: () => IdentityBirth
}

/** Each takes a thread and compiles the whole table. */
const MAX_AT_ONCE = 2
/** No stricter than what the gateway itself takes for a client's address: failures are explained with theirs. */
const ADDRESS = /^[\da-f.:]{2,45}$/i

/** `POST /explain`: what would become of a request, by the config in force and the state of its upstreams. */
export function explainResource(view: ExplainView): AdminResource {
  let running = 0
  return {
    methods: ['POST'],
    async answer(body) {
      const asked = askedIn(body)
      if ('status' in asked) return asked
      if (running >= MAX_AT_ONCE) return adminProblem(503, { 'Retry-After': '1' })
      running++
      try {
        return await tell(asked, view)
      } finally {
        running--
      }
    },
  }
}

async function tell(asked: Asked, { config, live, memory, identity }: ExplainView): Promise<AdminAnswer> {
  // Loaded when first asked for: what compiles routes is otherwise none of control's.
  const { explainInThread } = await import('../../explain/explain-in-thread.ts')
  const outcome = await explainInThread({
    ...{ asked, config: config(), live: live(), memory },
    identity: identity(),
  })
  if (outcome.fault !== undefined) return adminProblem(422, {}, { detail: outcome.fault })
  return adminJson(200, outcome.explanation)
}

const EXPECTED: ExpectedBody = {
  known: ['method', 'url', 'fields', 'token', 'from'],
  example: '{ "method": "GET", "url": "/path" }',
}

function askedIn(body: string): Asked | AdminAnswer {
  const { members, refusal } = judgeBody(body, EXPECTED)
  if (refusal !== null) return refusal
  const given: Partial<Record<keyof Asked, unknown>> = members
  const { method, url, fields = [], token = null, from = '127.0.0.1' } = given
  if (typeof method !== 'string') return lacking('method', method, 'a string such as GET')
  if (typeof url !== 'string') return lacking('url', url, 'a path or an absolute URL')
  if (!isTexts(fields)) {
    return wrongMember(
      'fields',
      'fields is not a list of strings; expected lines such as "Accept: text/html".',
    )
  }
  if (token !== null && typeof token !== 'string') return wrongMember('token', 'token is not a string.')
  if (typeof from !== 'string' || !ADDRESS.test(from)) return wrongMember('from', 'from is not an address.')
  return { method, url, fields, token, from }
}

function lacking(member: string, given: unknown, expected: string): AdminAnswer {
  const fault = given === undefined ? 'missing' : 'not a string'
  return wrongMember(member, `${member} is ${fault}; expected ${expected}.`)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
