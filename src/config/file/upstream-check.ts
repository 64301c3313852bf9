import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { UpstreamTlsConfig } from '../config.ts'
import { itemName } from './match-format.ts'
import type { Path, Report } from './report.ts'
import type { Trial } from './trial.ts'
import type { UpstreamDocument } from './upstream-schema.ts'

const MOST_UPSTREAMS = 1_024
const MOST_ENDPOINTS = 4_096

/** Rules between the members of an upstream, and over all of them. */
export function checkUpstreams(
  upstreams: ReadonlyMap<string, UpstreamDocument | null>,
  report: Report,
): void {
  let endpoints = 0
  for (const [name, upstream] of upstreams) {
    const path = ['upstreams', name]
    checkName(name, path, report)
    if (upstream === null) continue
    endpoints += endpointsOf(upstream).length
    checkEndpoints(upstream, path, report)
    checkConnections(upstream, path, report)
    checkHealth(upstream, path, report)
    checkAdmission(upstream, path, report)
  }
  limit(upstreams.size, MOST_UPSTREAMS, 'upstreams', report)
  limit(endpoints, MOST_ENDPOINTS, 'endpoints', report)
}

function limit(count: number, most: number, what: string, report: Report): void {
  if (count <= most) return
  report.problem(['upstreams'], {
    found: `holds ${count} ${what}`,
    expected: `at most ${most} ${what}`,
    remedy: 'Remove some, or run several gateways.',
    end: 'key',
  })
}

export function checkName(name: string, path: Path, report: Report): void {
  const parsed = itemName.parse(name)
  if (parsed.fits) return
  const remedy = parsed.fault ?? 'Rename it.'
  report.problem(path, { found: 'is no name', expected: itemName.accepts, remedy, end: 'key' })
}

export function endpointsOf(upstream: UpstreamDocument): readonly string[] {
  return typeof upstream.endpoints === 'string' ? [upstream.endpoints] : upstream.endpoints
}

function checkEndpoints(upstream: UpstreamDocument, path: Path, report: Report): void {
  const urls = endpointsOf(upstream)
  const at = (index: number): Path =>
    typeof upstream.endpoints === 'string' ? [...path, 'endpoints'] : [...path, 'endpoints', index]
  const [first] = urls
  if (first === undefined) {
    const remedy = 'Add one, such as http://ingest:8000.'
    report.problem([...path, 'endpoints'], { found: 'is empty', expected: 'at least one URL', remedy })
    return
  }
  const seen = new Map<string, number>()
  for (const [index, url] of urls.entries()) {
    const other = seen.get(url)
    if (other !== undefined) {
      report.problem(at(index), {
        found: `is the same as endpoint ${other}`,
        expected: 'every endpoint once',
        remedy: 'Remove one of the two.',
      })
    }
    seen.set(url, index)
    const differing = differenceOf(first, url)
    if (differing === null) continue
    report.problem(at(index), {
      found: `has another ${differing} than the first endpoint`,
      expected: 'the same scheme and base path for all endpoints of an upstream',
      remedy: 'Make them agree, or make it an upstream of its own.',
    })
  }
  if (upstream.tls === undefined || urls.some((url) => url.startsWith('https:'))) return
  report.problem([...path, 'tls'], {
    found: 'is set while the endpoints are http',
    expected: 'https:// endpoints where TLS is configured',
    remedy: 'Write https:// in the endpoints, or remove `tls`: without https nothing is encrypted.',
  })
}

function differenceOf(first: string, url: string): string | null {
  const [left, right] = [URL.parse(first), URL.parse(url)]
  if (left?.protocol !== right?.protocol) return 'scheme'
  return left?.pathname === right?.pathname ? null : 'base path'
}

function checkConnections(upstream: UpstreamDocument, path: Path, report: Report): void {
  const { max, idle } = upstream.connections
  if (idle === undefined || idle <= max) return
  report.problem([...path, 'connections'], {
    found: `keeps more idle connections (${idle}) than it may open (${max})`,
    expected: '`idle` at most `max`',
    remedy: 'Lower `idle`, or raise `max`.',
  })
}

/** Who has a place finds no connection otherwise, and is refused instead of waiting. */
function checkAdmission({ admission, connections }: UpstreamDocument, path: Path, report: Report): void {
  if (typeof admission?.concurrency !== 'number' || admission.concurrency <= connections.max) return
  report.warn(
    [...path, 'admission', 'concurrency'],
    'is more than `connections.max`: exchanges between the two are refused, and wait for nothing.',
  )
}

function checkHealth(upstream: UpstreamDocument, path: Path, report: Report): void {
  const { health } = upstream
  if (health === 'off' || health.timeout <= health.interval) return
  report.warn([...path, 'health'], 'waits longer for a probe (`timeout`) than for the next one (`interval`).')
}

/** Null where there is none, or where problems were reported. */
export function judgeTls(upstream: UpstreamDocument, path: Path, trial: Trial): UpstreamTlsConfig | null {
  const { tls } = upstream
  if (tls === undefined) return null
  if ((tls.certificate === undefined) !== (tls.key === undefined)) {
    const [there, missing] = tls.key === undefined ? ['certificate', 'key'] : ['key', 'certificate']
    trial.report.problem(path, {
      found: `has a ${there} without a ${missing}`,
      expected: 'both or neither',
      remedy: `Add the ${missing}, or remove the ${there}.`,
    })
  }
  const read = (name: 'ca' | 'certificate' | 'key'): string | null => {
    const written = tls[name]
    return written === undefined ? null : trial.readPem([...path, name], written)
  }
  const [ca, certificate, key] = [read('ca'), read('certificate'), read('key')]
  const authorities = ca === null ? null : readCertificate(ca, [...path, 'ca'], trial.report)
  const shown =
    certificate === null ? null : readCertificate(certificate, [...path, 'certificate'], trial.report)
  if (key !== null) checkKey(key, shown, [...path, 'key'], trial.report)
  if (ca !== null && authorities === null) return null
  return { ca, certificate, key, serverName: tls.serverName ?? null }
}

function readCertificate(pem: string, path: Path, report: Report): X509Certificate | null {
  try {
    return new X509Certificate(pem)
  } catch {
    report.problem(path, {
      found: 'holds no certificate that can be read',
      expected: 'PEM: -----BEGIN CERTIFICATE-----',
      remedy: 'Put the certificate there, or the path of a file that holds it.',
    })
    return null
  }
}

function checkKey(pem: string, certificate: X509Certificate | null, path: Path, report: Report): void {
  try {
    const key = createPrivateKey(pem)
    if (certificate === null || certificate.checkPrivateKey(key)) return
    report.problem(path, {
      found: 'does not belong to the certificate',
      expected: "the certificate's own key",
      remedy: 'Take both from the same issue.',
    })
  } catch {
    report.problem(path, {
      found: 'holds no private key that can be read',
      expected: 'an unencrypted PEM private key',
      remedy: 'Put the key there, or the path of a file that holds it.',
    })
  }
}
