import { parseArgs } from 'node:util'
import { PEER_NAMES, type PeerName } from './peer/peer.ts'

export const CASE_NAMES = [
  'throughput',
  'cold',
  'refusals',
  'bodies',
  'idle',
  'workers',
  'routes',
  'observed',
  'traffic',
  'start',
  'stall',
] as const
export type CaseName = (typeof CASE_NAMES)[number]

export const USAGE = `usage: npm run bench -- [options]
  --rounds N          interleaved rounds of the throughput case (default 30; other cases take a part of it)
  --seconds S         length of a round (default 2)
  --only case,case    of ${CASE_NAMES.join(', ')}
  --peers peer,peer   of ${PEER_NAMES.join(', ')}
  --quick             6 rounds of one second, smaller bodies: a look, not a result
  --write             write bench/RESULTS.md although the run is not a complete one`

export interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly cases: readonly CaseName[]
  readonly peers: readonly PeerName[]
  readonly quick: boolean
  readonly write: boolean
  /** Every case and peer with at least the default rounds: only such a run writes results unasked. */
  readonly complete: boolean
}

const DEFAULT_ROUNDS = 30
const DEFAULT_SECONDS = 2

/** Throws with a line for the operator on anything unknown. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      peers: { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  })
  const rounds = positive('rounds', values.rounds) ?? (values.quick ? 6 : DEFAULT_ROUNDS)
  const seconds = positive('seconds', values.seconds) ?? (values.quick ? 1 : DEFAULT_SECONDS)
  const cases = chosen('only', values.only, CASE_NAMES)
  const peers = chosen('peers', values.peers, PEER_NAMES)
  const whole = cases.length === CASE_NAMES.length && peers.length === PEER_NAMES.length
  const complete = whole && !values.quick && rounds >= DEFAULT_ROUNDS && seconds >= DEFAULT_SECONDS
  return { rounds, seconds, cases, peers, quick: values.quick, write: values.write, complete }
}

function positive(name: string, text: string | undefined): number | null {
  if (text === undefined) return null
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} takes a whole number from 1, not ${text}`)
  return value
}

function chosen<Name extends string>(
  option: string,
  text: string | undefined,
  known: readonly Name[],
): readonly Name[] {
  if (text === undefined) return known
  return text.split(',').map((word) => {
    const name = known.find((candidate) => candidate === word)
    if (name === undefined) throw new Error(`--${option}: no ${word}; there are ${known.join(', ')}`)
    return name
  })
}
