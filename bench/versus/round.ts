import { coreShare, coreTimes } from './cores.ts'
import { CONNECTIONS, type Load, type LoadResult, runWrk } from './load/wrk.ts'
import { settle } from './log-file.ts'
import type { Peer } from './peer/peer.ts'
import { CpuMeter, residentBytesOf } from './process-tree.ts'
import type { Stand, Upstream } from './stand.ts'

/** One peer under load once. */
export interface Measurement {
  readonly requestsPerSecond: number
  /** CPU of the peer's whole process tree, per request. */
  readonly userUs: number
  readonly systemUs: number
  readonly p50Us: number
  readonly p99Us: number
  readonly residentBytes: number
  /** How busy the load's cores were, 0 … 1: near 1, the load and not the peer set the pace. */
  readonly loadBusy: number
  /** Time the machine's other guests took from both, 0 … 1. */
  readonly stolen: number
  /** Why it does not count; empty if it does. */
  readonly faults: readonly string[]
}

/** `forwarded`: every request must reach the upstream; `refused`: none may, and every answer is a refusal. */
export type Outcome = 'forwarded' | 'refused'

const ACCESS_LINE_MARK = '/api/v1/query/search'
const ANSWER_BYTES = 87

/**
 * Runs the load against a peer and holds what came of it against what had to. `meter`: of the peer; by default one that
 * begins with the load.
 */
export async function measureRound(
  stand: Stand,
  upstream: Upstream,
  peer: Peer,
  load: Load,
  outcome: Outcome,
  meter: CpuMeter = new CpuMeter(peer.child.pid),
): Promise<Measurement> {
  const lines = peer.child.stdout
  upstream.seen.empty()
  lines.empty()
  const loadCores = stand.cores.load ?? '0'
  const allCores = stand.cores.usable.join(',')
  const before = { load: coreTimes(loadCores), all: coreTimes(allCores) }
  const result = await runWrk(stand, peer.port, load)
  const loadShare = coreShare(before.load, coreTimes(loadCores))
  const allShare = coreShare(before.all, coreTimes(allCores))
  const residentBytes = residentBytesOf(peer.child.pid)
  const enough = Math.ceil(result.requests * 0.99)
  await settle([upstream.seen, lines], () => {
    const seen = outcome === 'refused' || upstream.seen.countLinesWith(' ') >= result.requests
    return seen && (!peer.doesTheJob || lines.countLinesWith(ACCESS_LINE_MARK) >= enough)
  })
  // Read only now: lines still on their way are work for these requests.
  const cpu = meter.lap()
  const requests = Math.max(1, result.requests)
  const measurement: Measurement = {
    requestsPerSecond: result.requests / (result.durationUs / 1e6),
    userUs: cpu.userUs / requests,
    systemUs: cpu.systemUs / requests,
    p50Us: result.p50Us,
    p99Us: result.p99Us,
    residentBytes,
    loadBusy: loadShare.busy,
    stolen: allShare.stolen,
    faults: faultsOf(upstream, peer, load, result, outcome),
  }
  upstream.seen.empty()
  lines.empty()
  return measurement
}

function faultsOf(
  upstream: Upstream,
  peer: Peer,
  load: Load,
  result: LoadResult,
  outcome: Outcome,
): string[] {
  const faults: string[] = []
  const { requests } = result
  if (!peer.child.alive) faults.push(`it ended: ${peer.child.lastWords}`)
  if (requests === 0) faults.push('no request was answered')
  if (result.broken > 0) faults.push(`${result.broken} connections broke or timed out`)
  if (load.distinct !== null && requests > load.distinct) faults.push(`${load.distinct} tokens did not last`)
  if (outcome === 'forwarded') {
    if (result.refused > 0) faults.push(`${result.refused} of ${requests} refused`)
    if (result.bytes < requests * ANSWER_BYTES) faults.push('answers are too short')
  } else if (result.refused < requests) {
    faults.push(`${requests - result.refused} of ${requests} let through`)
  }
  faults.push(...upstreamFaults(upstream, peer, requests, outcome))
  if (peer.doesTheJob) {
    const lines = peer.child.stdout.countLinesWith(ACCESS_LINE_MARK)
    if (lines < requests * 0.99) faults.push(`${lines} access lines for ${requests} requests`)
  }
  return faults
}

function upstreamFaults(upstream: Upstream, peer: Peer, requests: number, outcome: Outcome): string[] {
  const lines = upstream.seen.read().split('\n')
  lines.pop()
  if (outcome === 'refused')
    return lines.length > 0 ? [`the upstream saw ${lines.length} refused requests`] : []
  const faults: string[] = []
  // wrk leaves up to one request a connection unanswered at its end.
  if (lines.length < requests || lines.length > requests + CONNECTIONS) {
    faults.push(`the upstream saw ${lines.length} requests for ${requests}`)
  }
  if (!peer.doesTheJob) return faults
  let foreign = 0
  let anonymous = 0
  for (const line of lines) {
    const [wanted, asserted, id] = line.split(' ')
    if (wanted === undefined || wanted === '-' || asserted !== wanted) foreign++
    if (id !== 'id') anonymous++
  }
  if (foreign > 0) faults.push(`${foreign} requests with a wrong tenant`)
  if (anonymous > 0) faults.push(`${anonymous} requests without an id`)
  return faults
}
