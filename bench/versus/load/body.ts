import { join } from 'node:path'
import { run } from '../child.ts'
import { coreShare, coreTimes } from '../cores.ts'
import type { Peer } from '../peer/peer.ts'
import { cpuOf, residentBytesOf } from '../process-tree.ts'
import { freePort, HERE, type Stand } from '../stand.ts'
import { makeToken } from '../token.ts'
import type { BodyResult, BodyWork } from './body-client.ts'

const SAMPLE_MS = 20

export interface BodyMeasurement {
  readonly bytesPerSecond: number
  readonly cpuSecondsPerGigabyte: number
  readonly residentBefore: number
  /** The most that was seen, sampled every 20 ms. */
  readonly residentPeak: number
  readonly loadBusy: number
  readonly faults: readonly string[]
}

/** Starts the upstream of the body cases; resolves with its port. */
export async function startBodyOrigin(stand: Stand): Promise<number> {
  const port = await freePort()
  const child = stand.start({
    name: 'body-origin',
    command: process.execPath,
    args: [join(HERE, 'load/body-origin.ts'), String(port)],
    env: {},
    cores: stand.cores.load,
  })
  await child.ready(port)
  return port
}

/** Moves bodies through a peer; every byte is compared where it arrives. */
export async function moveBodies(
  stand: Stand,
  peer: Peer,
  work: Omit<BodyWork, 'port' | 'token'>,
): Promise<BodyMeasurement> {
  const { pid } = peer.child
  const residentBefore = residentBytesOf(pid)
  let residentPeak = residentBefore
  const sampler = setInterval(() => {
    residentPeak = Math.max(residentPeak, residentBytesOf(pid))
  }, SAMPLE_MS)
  const loadCores = stand.cores.load ?? '0'
  const before = { cpu: cpuOf(pid), load: coreTimes(loadCores) }
  const whole: BodyWork = { ...work, port: peer.port, token: makeToken('body', 1).text }
  let out: string
  try {
    out = await run(
      {
        name: `bodies through ${peer.name}`,
        command: process.execPath,
        args: [join(HERE, 'load/body-client.ts'), JSON.stringify(whole)],
        env: {},
        cores: stand.cores.load,
        directory: stand.directory,
      },
      (work.seconds + 120) * 1000,
    )
  } finally {
    clearInterval(sampler)
  }
  const cpu = cpuOf(pid)
  const result: BodyResult = JSON.parse(out)
  const bytes = result.exchanges * work.bytes
  const cpuUs = cpu.userUs + cpu.systemUs - before.cpu.userUs - before.cpu.systemUs
  const faults = [...new Set(result.faults)]
  if (!peer.child.alive) faults.push(`it ended: ${peer.child.lastWords}`)
  return {
    bytesPerSecond: bytes / (result.durationUs / 1e6),
    cpuSecondsPerGigabyte: cpuUs / 1e6 / (bytes / 1e9),
    residentBefore,
    residentPeak,
    loadBusy: coreShare(before.load, coreTimes(loadCores)).busy,
    faults,
  }
}
