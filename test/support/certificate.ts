import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** A certificate authority of the test's own, made by the openssl command. */
export class Authority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nyro-ca-'))

  constructor() {
    this.#openssl(
      'req',
      '-x509',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=Test CA',
      ...EC,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    )
  }

  /** For NODE_EXTRA_CA_CERTS. */
  get file(): string {
    return join(this.#folder, 'ca.pem')
  }

  /** A certificate for these subject alternative names, such as `DNS:localhost` and `IP:127.0.0.1`. */
  issue(...names: readonly string[]): Certificate {
    const request = ['req', '-x509', '-nodes', '-days', '2', '-subj', '/CN=upstream', ...EC]
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', `subjectAltName=${names.join(',')}`]
    const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE']
    this.#openssl(...request, ...signed, ...leaf, '-keyout', 'leaf.key', '-out', 'leaf.pem')
    const read = (name: string): string => readFileSync(join(this.#folder, name), 'utf8')
    return { key: read('leaf.key'), cert: read('leaf.pem') }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: ['ignore', 'ignore', 'pipe'] })
  }
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'] as const
