import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ConfigSource } from '../../src/config/environment.ts'
import { ownKeyOf } from '../support/config-part.ts'
import { load, STRONG_SECRET } from './load-with.ts'

const PEM = '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n'
const PUBLISHED = 'YOUR_DEFAULT_JWT_SECRET_KEY_CHANGE_ME'

type Variables = Readonly<Record<string, string>>

async function keyOf(variables: Variables, source: Partial<ConfigSource> = {}): Promise<string | undefined> {
  const loaded = await load(variables, null, source)
  assert(loaded.config !== null, loaded.config === null ? loaded.problems.join('\n') : '')
  return ownKeyOf(loaded.config)
}

async function problemOf(
  variables: Variables,
  source: Partial<ConfigSource> = {},
): Promise<{ problem: string; exitCode: number }> {
  const loaded = await load(variables, null, source)
  assert(loaded.config === null, 'the secret was accepted')
  assert.equal(loaded.problems.length, 1)
  return { problem: loaded.problems[0] ?? '', exitCode: loaded.exitCode }
}

function fileOf(content: string | Uint8Array): Partial<ConfigSource> {
  return { readFile: () => (typeof content === 'string' ? Buffer.from(content) : content) }
}

function failing(code: string): Partial<ConfigSource> {
  return {
    readFile: (path) => {
      throw Object.assign(new Error(`${code}: text of the runtime, open '${path}'`), { code })
    },
  }
}

const SET_WHAT =
  'Set GATEWAY_JWT_SECRET to the secret the issuer signs with, or GATEWAY_JWT_SECRET_FILE to a file that holds it. ' +
  '`openssl rand -base64 32` makes one.'
const WANTED = 'expected a secret of at least 32 bytes, known to nobody but the issuer of the tokens'

describe('a secret', () => {
  test('that is not set is refused, saying what to set', async () => {
    const { problem, exitCode } = await problemOf({})
    assert.equal(problem, `GATEWAY_JWT_SECRET is not set; ${WANTED}. ${SET_WHAT}`)
    assert.equal(exitCode, 2)
  })

  test('that is not set, with an asymmetric algorithm, asks for the public key', async () => {
    const { problem } = await problemOf({ GATEWAY_JWT_ALGORITHM: 'ES256' })
    assert.equal(
      problem,
      'GATEWAY_JWT_SECRET is not set; expected a PEM public key for ES256. ' +
        "Set GATEWAY_JWT_SECRET to the issuer's public key, or GATEWAY_JWT_SECRET_FILE to a file that holds it.",
    )
  })

  for (const text of ['', ' ', '\n']) {
    test(`that is empty is refused: ${JSON.stringify(text)}`, async () => {
      const { problem, exitCode } = await problemOf({ GATEWAY_JWT_SECRET: text })
      assert.equal(problem, `GATEWAY_JWT_SECRET is empty; ${WANTED}. ${SET_WHAT}`)
      assert.equal(exitCode, 2)
    })
  }

  test('that is empty is not made up for by a file', async () => {
    const { problem } = await problemOf(
      { GATEWAY_JWT_SECRET: '', GATEWAY_JWT_SECRET_FILE: '/run/secret' },
      fileOf(STRONG_SECRET),
    )
    assert.match(problem, /^GATEWAY_JWT_SECRET is empty;/)
  })

  // Everybody can read the original's source, and sign tokens for any tenant with the secret that stands there.
  for (const text of [PUBLISHED, ` ${PUBLISHED}\n`]) {
    for (const algorithm of ['HS256', 'RS256']) {
      test(`that the original published is refused with ${algorithm}, even where weak ones are allowed`, async () => {
        const { problem, exitCode } = await problemOf({
          GATEWAY_JWT_SECRET: text,
          GATEWAY_JWT_ALGORITHM: algorithm,
          GATEWAY_JWT_ALLOW_WEAK_SECRET: 'true',
        })
        assert.match(
          problem,
          /^GATEWAY_JWT_SECRET is the default that the original gateway published; expected /,
        )
        assert.equal(exitCode, 2)
      })
    }
  }

  // Key confusion: a public key is no secret, so whoever has it could sign HS tokens that verify with its text.
  for (const algorithm of ['HS256', 'HS384', 'HS512']) {
    test(`that is a PEM key is refused with ${algorithm}, even where weak ones are allowed`, async () => {
      for (const text of [PEM, PEM.replaceAll('\n', '\\n'), `x\n${PEM}`]) {
        const { problem } = await problemOf({
          GATEWAY_JWT_SECRET: text,
          GATEWAY_JWT_ALGORITHM: algorithm,
          GATEWAY_JWT_ALLOW_WEAK_SECRET: 'true',
        })
        assert(
          problem.startsWith(
            `GATEWAY_JWT_SECRET holds a PEM key, which is no secret, while GATEWAY_JWT_ALGORITHM is ${algorithm};`,
          ),
        )
      }
    })
  }

  for (const [algorithm, least] of [
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ] as const) {
    const set = (secret: string, more: Variables = {}): Variables => ({
      GATEWAY_JWT_SECRET: secret,
      GATEWAY_JWT_ALGORITHM: algorithm,
      ...more,
    })

    test(`for ${algorithm} has at least ${least} bytes`, async () => {
      assert.equal(await keyOf(set('s'.repeat(least))), 's'.repeat(least))
      const { problem, exitCode } = await problemOf(set('s'.repeat(least - 1)))
      assert.equal(exitCode, 2)
      assert.equal(
        problem,
        `GATEWAY_JWT_SECRET is shorter than ${least} bytes; expected a secret of at least ${least} bytes, known to ` +
          'nobody but the issuer of the tokens. Set GATEWAY_JWT_SECRET to the secret the issuer signs with, or ' +
          `GATEWAY_JWT_SECRET_FILE to a file that holds it. \`openssl rand -base64 ${least}\` makes one. ` +
          'To keep a short one: GATEWAY_JWT_ALLOW_WEAK_SECRET=true',
      )
    })

    test(`for ${algorithm} is measured in bytes, not in letters`, async () => {
      assert.equal(await keyOf(set('é'.repeat(least / 2))), 'é'.repeat(least / 2))
    })

    test(`for ${algorithm} may be shorter where the operator allows it, with a warning`, async () => {
      const loaded = await load(set('short', { GATEWAY_JWT_ALLOW_WEAK_SECRET: 'true' }))
      assert.equal(ownKeyOf(loaded.config), 'short')
      assert.equal(loaded.warnings.length, 1)
      assert.match(
        loaded.warnings[0] ?? '',
        new RegExp(`^GATEWAY_JWT_SECRET is shorter than the ${least} bytes ${algorithm} needs \\(RFC 7518`),
      )
    })
  }

  test('that is strong is not warned about where weak ones are allowed', async () => {
    const { warnings } = await load({
      GATEWAY_JWT_SECRET: STRONG_SECRET,
      GATEWAY_JWT_ALLOW_WEAK_SECRET: 'true',
    })
    assert.deepEqual(warnings, [])
  })

  test('counts with its white space, which is warned about', async () => {
    const loaded = await load({ GATEWAY_JWT_SECRET: `${STRONG_SECRET}\n` })
    assert.equal(ownKeyOf(loaded.config), `${STRONG_SECRET}\n`)
    assert.deepEqual(loaded.warnings, [
      'GATEWAY_JWT_SECRET begins or ends in white space, which is part of the secret.',
    ])
  })

  test('is named as the operator wrote it', async () => {
    const { problem } = await problemOf({ gateway_jwt_secret: 'short' })
    assert.match(problem, /^gateway_jwt_secret is shorter than 32 bytes;/)
  })
})

describe('a secret file', () => {
  const file = { GATEWAY_JWT_SECRET_FILE: '/run/secrets/jwt' }

  const trimmed: readonly [string, string, string][] = [
    ['loses one line break at its end', `${STRONG_SECRET}\n`, STRONG_SECRET],
    ['loses one CRLF at its end', `${STRONG_SECRET}\r\n`, STRONG_SECRET],
    ['loses one line break only', `${STRONG_SECRET}\n\n`, `${STRONG_SECRET}\n`],
    ['keeps other white space', ` ${STRONG_SECRET} `, ` ${STRONG_SECRET} `],
    ['needs no line break', STRONG_SECRET, STRONG_SECRET],
  ]
  for (const [title, content, key] of trimmed) {
    test(title, async () => {
      assert.equal(await keyOf(file, fileOf(content)), key)
    })
  }

  test('is read at the path that is set', async () => {
    const paths: string[] = []
    const readFile = (path: string): Uint8Array => {
      paths.push(path)
      return Buffer.from(STRONG_SECRET)
    }
    await keyOf({ GATEWAY_JWT_SECRET_FILE: ' ./secret ' }, { readFile })
    assert.deepEqual(paths, ['./secret'])
  })

  for (const content of ['', '\n', ' \n']) {
    test(`that is empty is refused: ${JSON.stringify(content)}`, async () => {
      const { problem, exitCode } = await problemOf(file, fileOf(content))
      assert.match(problem, /^GATEWAY_JWT_SECRET_FILE yields an empty secret; expected /)
      assert.equal(exitCode, 2)
    })
  }

  test('is judged like the variable', async () => {
    assert.match(
      (await problemOf(file, fileOf(PUBLISHED))).problem,
      /^GATEWAY_JWT_SECRET_FILE is the default that/,
    )
    assert.match(
      (await problemOf(file, fileOf('short'))).problem,
      /^GATEWAY_JWT_SECRET_FILE is shorter than 32 bytes/,
    )
    assert.match((await problemOf(file, fileOf(PEM))).problem, /^GATEWAY_JWT_SECRET_FILE holds a PEM key/)
  })

  // Decoding leniently would turn every byte that is no UTF-8 into the same character, and shrink the key space.
  test('that is not UTF-8 is refused rather than read in part', async () => {
    const { problem, exitCode } = await problemOf(file, fileOf(new Uint8Array(64).fill(0xff)))
    assert.match(
      problem,
      /^GATEWAY_JWT_SECRET_FILE names a file \("\/run\/secrets\/jwt"\) that is not UTF-8; /,
    )
    assert.equal(exitCode, 2)
  })

  const unreadable: readonly [string, string][] = [
    ['ENOENT', 'there is no such file'],
    ['EACCES', 'permission denied'],
    ['EISDIR', 'it is a folder'],
    ['EIO', 'EIO'],
  ]
  for (const [code, reason] of unreadable) {
    test(`that cannot be read (${code}) is one clear line, and exit status 1`, async () => {
      const { problem, exitCode } = await problemOf(file, failing(code))
      assert.equal(
        problem,
        `GATEWAY_JWT_SECRET_FILE names a file ("/run/secrets/jwt") that cannot be read: ${reason}; ${WANTED}. ` +
          'Put the file there, or correct the path.',
      )
      assert.equal(exitCode, 1)
    })
  }

  test('that cannot be read, beside a bad setting, is exit status 2', async () => {
    const loaded = await load({ ...file, GATEWAY_PORT: 'x' }, null, failing('ENOENT'))
    assert(loaded.config === null)
    assert.equal(loaded.problems.length, 2)
    assert.equal(loaded.exitCode, 2)
  })

  test('together with the variable is refused', async () => {
    const { problem, exitCode } = await problemOf({ ...file, GATEWAY_JWT_SECRET: STRONG_SECRET })
    assert.equal(
      problem,
      'GATEWAY_JWT_SECRET is set together with GATEWAY_JWT_SECRET_FILE; expected only one of the two. ' +
        'Remove one of them.',
    )
    assert.equal(exitCode, 2)
  })
})

describe('a public key', () => {
  const rs256 = { GATEWAY_JWT_ALGORITHM: 'RS256', GATEWAY_JWT_SECRET: PEM }

  test('is checked for its algorithm and kept as it is', async () => {
    const checked: string[][] = []
    const key = await keyOf(rs256, {
      checkKey: async (algorithm, pem) => {
        checked.push([algorithm, pem])
      },
    })
    assert.equal(key, PEM)
    assert.deepEqual(checked, [['RS256', PEM]])
  })

  test('may have its line breaks written out, as one-line variables do', async () => {
    assert.equal(await keyOf({ ...rs256, GATEWAY_JWT_SECRET: PEM.replaceAll('\n', '\\n') }), PEM)
  })

  test('that does not load is refused with the reason, on one line', async () => {
    const { problem, exitCode } = await problemOf(rs256, {
      checkKey: () => Promise.reject(new Error('RS256 needs an RSA key,\n but this one is ed25519')),
    })
    assert.equal(
      problem,
      'GATEWAY_JWT_SECRET cannot be used: RS256 needs an RSA key, but this one is ed25519; expected a PEM public ' +
        "key for RS256. Set GATEWAY_JWT_SECRET to the issuer's public key, or GATEWAY_JWT_SECRET_FILE to a file " +
        'that holds it.',
    )
    assert.equal(exitCode, 2)
  })

  test('is not asked for with a secret', async () => {
    const checkKey = () => Promise.reject(new Error('asked'))
    assert.equal(await keyOf({ GATEWAY_JWT_SECRET: STRONG_SECRET }, { checkKey }), STRONG_SECRET)
  })
})
