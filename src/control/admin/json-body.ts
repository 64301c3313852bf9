import { type AdminAnswer, adminProblem } from './admin-answer.ts'

export type Members = Readonly<Record<string, unknown>>

/** A body's members, all of them known; or the refusal that names the one that is wrong. */
export type JudgedBody =
  | { readonly members: Members; readonly refusal: null }
  | { readonly members: null; readonly refusal: AdminAnswer }

/** What a resource takes. */
export interface ExpectedBody {
  /** Their names; a body that has no members at all lacks the first. */
  readonly known: readonly [string, ...string[]]
  /** Shows them to whoever sent something else. */
  readonly example: string
}

/** A body must be a JSON object; what its members hold is left to the resource. */
export function judgeBody(body: string, { known, example }: ExpectedBody): JudgedBody {
  const value = parsed(body)
  if (value === undefined) return refused(known[0], `The body is not JSON; expected ${example}.`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refused(known[0], `The body is not an object; expected ${example}.`)
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name))
  if (unknown !== undefined) return refused(unknown, `${unknown} is not known here; expected ${example}.`)
  return { members: value as Members, refusal: null } // an object that is no array, as judged above
}

/** The one member of a body that takes no other, which is one of `choices`; or the refusal. */
export function chosenMember<Choice extends string>(
  body: string,
  member: string,
  choices: readonly Choice[],
): Choice | AdminAnswer {
  const example = `{ "${member}": "${choices.join('" | "')}" }`
  const { members, refusal } = judgeBody(body, { known: [member], example })
  if (refusal !== null) return refusal
  const given = members[member]
  const chosen = choices.find((choice) => choice === given)
  return chosen ?? wrongMember(member, `${member} is ${described(given)}; expected ${choices.join(', ')}.`)
}

/** Null: the body of what takes none is absent or empty. */
export function refusedMember(body: string): AdminAnswer | null {
  if (body === '' || body === '{}') return null
  const value = parsed(body)
  const [first] = typeof value === 'object' && value !== null ? Object.keys(value) : []
  if (first === undefined) return adminProblem(400, {}, { detail: 'Nothing is expected in the body.' })
  return wrongMember(first, `${first} is not known here; nothing is expected in the body.`)
}

export function wrongMember(member: string, detail: string): AdminAnswer {
  return adminProblem(400, {}, { detail, member })
}

function refused(member: string, detail: string): JudgedBody {
  return { members: null, refusal: wrongMember(member, detail) }
}

function described(given: unknown): string {
  if (given === undefined) return 'missing'
  return typeof given === 'string' ? 'not one of the known values' : 'not a string'
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
