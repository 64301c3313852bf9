// What a variable or a secret file holds reaches no message, wherever the configuration puts it: messages go to
// terminals, logs, CI output and the answers of the admin listener.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { documentedSchema } from '../../../src/config/file/json-schema.ts'
import { judgeDocument } from '../../../src/config/file/load.ts'
import { loadText, sourceOf } from './load-text.ts'

const SENTINEL = 'Sentinel0fASecret'

interface Node {
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | boolean
  readonly items?: Node
  readonly anyOf?: readonly Node[]
}

/** A document with every key there is, each scalar set to `text`; of several shapes the `nth` where there is one. */
function everyKey(node: Node, text: string, nth: number): unknown {
  if (node.properties !== undefined) {
    return Object.fromEntries(
      Object.entries(node.properties).map(([key, member]) => [key, everyKey(member, text, nth)]),
    )
  }
  if (node.items !== undefined) return [everyKey(node.items, text, nth), everyKey(node.items, text, nth)]
  if (typeof node.additionalProperties === 'object')
    return { some: everyKey(node.additionalProperties, text, nth) }
  const branch = node.anyOf?.[nth % node.anyOf.length]
  const isScalar = branch === undefined || (branch.properties === undefined && branch.items === undefined)
  return isScalar ? text : everyKey(branch, text, nth)
}

const forms: readonly (readonly [string, string])[] = [
  ['as it is', SENTINEL],
  ['in a URL', `https://user:${SENTINEL}@host/`],
  ['in a path', `/${SENTINEL}`],
  ['as a PEM', `-----BEGIN CERTIFICATE-----\n${SENTINEL}\n-----END CERTIFICATE-----\n`],
  ['long enough for a key', SENTINEL.repeat(9)],
  ['with a line break', `${SENTINEL}\n${SENTINEL}`],
]

describe('what a reference yields', () => {
  for (const [how, held] of forms) {
    test(`is shown nowhere, whatever key names it: ${how}`, async () => {
      for (const reference of ['${HELD}', '${file:/run/held}', '${NONE:-Sentinel0fASecret}', 'x${HELD}']) {
        for (const nth of [0, 1]) {
          // What z.toJSONSchema yields is typed as any object.
          const document = everyKey(documentedSchema() as Node, reference, nth)
          const source = sourceOf(
            { held },
            { env: { HELD: held }, checkKey: () => Promise.reject(new Error('no')) },
          )
          const loaded = await judgeDocument(document, { path: '/etc/nyro.ts', files: [] }, source)
          assert.ok(loaded.config === null && loaded.problems.length > 20)
          const lines = [...loaded.problems, ...loaded.warnings].join('\n')
          assert.ok(!lines.includes(SENTINEL))
        }
      }
    })
  }
})

describe('what stands in the file of API keys', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['as a hash', `- { name: ci, tenant: acme, hash: ${SENTINEL}, prefix: nyro_00000000 }`],
    ['as a prefix', `- { name: ci, tenant: acme, hash: x, prefix: ${SENTINEL} }`],
    ['as the name of a member', `- { nyro_${SENTINEL}: x }`],
    ['as an entry', `- ${SENTINEL}`],
    ['as everything', SENTINEL],
    ['as a key of everything', `{ ${SENTINEL}: 1 }`],
    ['in broken YAML', `- { name: "${SENTINEL}`],
    ['in an unknown alias', `- *${SENTINEL}`],
    ['in a tag', `- !${SENTINEL} x`],
    ['twice', `- { ${SENTINEL}: 1, ${SENTINEL}: 2 }`],
    ['behind another document', `[]\n---\n${SENTINEL}`],
  ]
  for (const [what, text] of cases) {
    for (const file of ['keys.yaml', 'keys.json']) {
      test(`is not shown: ${what}, in ${file}`, async () => {
        const loaded = await loadText(`identity: { apiKeys: { file: ./${file} } }`, {
          files: { [file]: text },
        })
        assert.ok(loaded.config === null)
        assert.ok(![...loaded.problems, ...loaded.warnings].join('\n').includes(SENTINEL))
      })
    }
  }
})

describe('a secret that is written out', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['too short', `identity: { jwt: [{ secret: ${SENTINEL} }] }`],
    ['with white space around it', `identity: { jwt: [{ secret: " ${SENTINEL}${SENTINEL} " }] }`],
    [
      'with an algorithm for public keys',
      `identity: { jwt: [{ secret: ${SENTINEL}, algorithms: [RS256] }] }`,
    ],
    ['as a public key', `identity: { jwt: [{ publicKey: ${SENTINEL}, algorithms: [RS256] }] }`],
    ['as a token with a blank', `admin: { token: "${SENTINEL} x" }`],
    ['as a list', `admin: { token: [${SENTINEL}] }`],
    ['in a URL of the store', `store: { redis: "${SENTINEL}" }`],
    ['as the password of the store', `store: { redis: "redis://user:${SENTINEL}@cache/x" }`],
    ['in a password that cannot be decoded', `store: { redis: "redis://user:%zz${SENTINEL}@cache" }`],
    [
      'in a URL of keys',
      `identity: { jwt: [{ jwks: "https://u:${SENTINEL}@id.test", algorithms: [RS256], audience: a }] }`,
    ],
    [
      'in an issuer that is an address',
      `identity: { jwt: [{ issuer: "http://id.test/${SENTINEL}", algorithms: [RS256], audience: a }] }`,
    ],
    ['where the path of the API keys belongs', `identity: { apiKeys: { file: ${SENTINEL} } }`],
    [
      'as an API key where its header belongs',
      `identity: { apiKeys: { header: "a ${SENTINEL}@", file: ./k } }`,
    ],
    ['in a URL of an endpoint', `upstreams: { b: { endpoints: "http://u:${SENTINEL}@b" } }`],
    [
      'as a private key',
      `upstreams: { b: { endpoints: https://b, tls: { certificate: ./c, key: ${SENTINEL} } } }`,
    ],
    ['below a key nobody knows', `identity: { jwt: [{ secrt: ${SENTINEL} }] }`],
    ['in broken YAML', `identity: { jwt: [{ secret: "${SENTINEL} }] }`],
    ['where the path of a file belongs', `identity: { jwt: [{ secret: "\${file:${SENTINEL}}" }] }`],
    ['in a reference that is not closed', `admin: { token: "\${${SENTINEL}" }`],
    ['as a default of a reference that is bad', `admin: { token: "\${a b:-${SENTINEL}}" }`],
  ]
  for (const [what, text] of cases) {
    test(`is not shown: ${what}`, async () => {
      const loaded = await loadText(`${text}\nworkers: 0\n`)
      assert.ok(loaded.config === null)
      assert.ok(![...loaded.problems, ...loaded.warnings].join('\n').includes(SENTINEL))
    })
  }
})
