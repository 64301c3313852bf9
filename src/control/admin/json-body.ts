import { type AdminAnswer, adminProblem } from './admin-answer.ts'

/**
 * The one member of a request's body that a resource takes, or the refusal that names what is wrong. The body is a JSON
 * object with that member alone, which is one of `choices`.
 */
export function chosenMember<Choice extends string>(
  body: string,
  member: string,
  choices: readonly Choice[],
): Choice | AdminAnswer {
  const expected = `{ "${member}": "${choices.join('" | "')}" }`
  const value = parsed(body)
  if (value === undefined) return wrong(member, `The body is not JSON; expected ${expected}.`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong(member, `The body is not an object; expected ${expected}.`)
  }
  const unknown = Object.keys(value).find((name) => name !== member)
  if (unknown !== undefined) return wrong(unknown, `${unknown} is not known here; expected ${expected}.`)
  const given = (value as Readonly<Record<string, unknown>>)[member]
  const chosen = choices.find((choice) => choice === given)
  return chosen ?? wrong(member, `${member} is ${described(given)}; expected ${choices.join(', ')}.`)
}

function wrong(member: string, detail: string): AdminAnswer {
  return adminProblem(400, {}, { detail, member })
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
