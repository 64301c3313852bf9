// A secret that reaches a message reaches the terminal, the log collector and everybody who reads either. Settings
// are where secrets get mistyped: pasted into the wrong variable, cut short, put where a path or a URL is expected.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadEnvironment } from '../../src/config/environment.ts'
import { machine } from './load-with.ts'

const SENTINEL = 'Sentinel0fASecret'
const PEM = `-----BEGIN PRIVATE KEY-----\n${SENTINEL}\n-----END PRIVATE KEY-----`

async function messages(
  variables: Record<string, string>,
  dotenvText: string | null,
  content: string,
): Promise<string> {
  const loaded = await loadEnvironment(variables, dotenvText, {
    ...machine,
    readFile: (path) => (content === '' ? machine.readFile(path) : Buffer.from(content)),
    checkKey: () => Promise.reject(new Error('the key does not load')),
  })
  const problems = loaded.config === null ? loaded.problems : []
  return [...problems, ...loaded.warnings].join('\n')
}

describe('no message shows a secret', () => {
  const cases: readonly [string, Record<string, string>, string?][] = [
    ['that is too short', { GATEWAY_JWT_SECRET: SENTINEL }],
    ['that is short and allowed', { GATEWAY_JWT_SECRET: SENTINEL, GATEWAY_JWT_ALLOW_WEAK_SECRET: 'true' }],
    ['with white space around it', { GATEWAY_JWT_SECRET: ` ${SENTINEL}${SENTINEL}\n` }],
    ['that is a PEM with HS256', { GATEWAY_JWT_SECRET: PEM }],
    ['that does not load as a key', { GATEWAY_JWT_SECRET: PEM, GATEWAY_JWT_ALGORITHM: 'RS256' }],
    ['beside a bad algorithm', { GATEWAY_JWT_SECRET: SENTINEL, GATEWAY_JWT_ALGORITHM: 'none' }],
    ['set twice', { GATEWAY_JWT_SECRET: SENTINEL, GATEWAY_JWT_SECRET_FILE: '/x' }],
    ['set in two spellings', { GATEWAY_JWT_SECRET: SENTINEL, gateway_jwt_secret: `${SENTINEL}2` }],
    ['in a misspelt variable', { GATEWAY_JWT_SECRET_KEY: SENTINEL }],
    ['pasted where its file belongs', { GATEWAY_JWT_SECRET_FILE: SENTINEL }],
    ['pasted where its file belongs, as PEM', { GATEWAY_JWT_SECRET_FILE: PEM }],
    ['in a file, too short', { GATEWAY_JWT_SECRET_FILE: '/run/x' }, SENTINEL],
    ['in a file, as PEM', { GATEWAY_JWT_SECRET_FILE: '/run/x' }, PEM],
    [
      'in a file that does not load',
      { GATEWAY_JWT_SECRET_FILE: '/run/x', GATEWAY_JWT_ALGORITHM: 'ES256' },
      PEM,
    ],
    ['of the operator listener', { GATEWAY_ADMIN_TOKEN: `${SENTINEL} ` }],
    ['in a URL', { GATEWAY_INGEST_SERVICE_URL: `http://user:${SENTINEL}@ingest` }],
    ['in a URL of another kind', { GATEWAY_AUTH_SERVICE_URL: `ftp://user:${SENTINEL}@ingest` }],
    ['in a URL without a scheme', { GATEWAY_QUERY_SERVICE_URL: `user:${SENTINEL}@ingest` }],
    ['in an origin', { GATEWAY_ALLOWED_ORIGINS: `https://a.example,https://u:${SENTINEL}@b.example` }],
    ['in a configuration file name', { GATEWAY_CONFIG: PEM }],
    ['pasted as PEM into a port', { GATEWAY_PORT: PEM }],
  ]
  for (const [title, variables, content = ''] of cases) {
    test(`${title}, from the environment`, async () => {
      const text = await messages(variables, null, content)
      assert.notEqual(text, '')
      assert(!text.includes(SENTINEL), text)
    })

    test(`${title}, from .env`, async () => {
      const dotenvText = Object.entries(variables)
        .map(([name, value]) => `${name}="${value}"`)
        .join('\n')
      const text = await messages({}, dotenvText, content)
      assert.notEqual(text, '')
      assert(!text.includes(SENTINEL), text)
    })
  }

  test('but a bad value that is none is shown, so that the sentinel would be seen', async () => {
    assert((await messages({ GATEWAY_PORT: SENTINEL }, null, '')).includes(SENTINEL))
  })
})
