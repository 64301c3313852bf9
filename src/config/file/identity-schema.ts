import { z } from 'zod'
import { choice, line } from '../format.ts'
import { jwtAlgorithms } from '../jwt-key.ts'
import { choiceLeaf, durationLeaf, flagLeaf, pemText, secretText, section, text } from './leaf.ts'
import { issuerUrl } from './list-format.ts'
import { fieldName, itemName } from './match-format.ts'

/** One source of tokens. */
export const tokenSchema = section({
  name: text(itemName).optional().meta({ unset: 'none', description: 'Tells sources of tokens apart.' }),
  secret: secretText.optional().meta({
    unset: 'none',
    description:
      'The HMAC secret the tokens are signed with, byte for byte: at least 32 bytes for HS256, 48 for HS384, 64 for ' +
      'HS512 (RFC 7518 section 3.2). Named, not written out: `"${GATEWAY_JWT_SECRET}"` or `"${file:/run/secrets/jwt}"`.',
  }),
  publicKey: pemText.optional().meta({
    unset: 'none',
    description:
      'A PEM public key or certificate, or the path of a file that holds one, from the folder of this file.',
  }),
  algorithms: z
    .array(choiceLeaf(choice(jwtAlgorithms), jwtAlgorithms))
    .optional()
    .meta({
      unset: '`[HS256]` with a secret',
      description: 'Tokens signed in any other way are refused. More than one: not yet in force.',
    }),
  clockSkew: durationLeaf(0).prefault('0s').meta({
    description: 'Leeway for `exp` and `nbf`, in whole seconds.',
  }),
  allowWeakSecret: flagLeaf.prefault(false).meta({
    description: 'Turns the refusal of a short secret into a warning, for installations that must keep one.',
  }),
  issuer: text(issuerUrl).optional().meta({
    pending: true,
    unset: 'none',
    description:
      'What `iss` must be. Without key, secret and `jwks`, keys are found from here by OIDC discovery.',
  }),
  audience: z
    .union([text(line), z.array(text(line))])
    .optional()
    .meta({ pending: true, unset: 'none', description: 'What `aud` must hold: one of these.' }),
  jwks: text(issuerUrl)
    .optional()
    .meta({ pending: true, unset: 'none', description: 'Where the key set is (RFC 7517).' }),
  keys: section({
    refresh: durationLeaf(1_000).prefault('10m').meta({ description: 'How often the key set is loaded.' }),
    cooldown: durationLeaf(1_000).prefault('30s').meta({
      description: 'An unknown key id makes it be loaded earlier, but not more often than this.',
    }),
    maxStale: durationLeaf(0).prefault('24h').meta({
      description: 'How long the last good key set serves while it cannot be loaded.',
    }),
  })
    .optional()
    .meta({ pending: true, unset: 'the defaults below', description: 'How a key set is kept fresh.' }),
})

export type TokenDocument = z.output<typeof tokenSchema>

/** Claims as the original gateway named them; whatever differs is not yet in force. */
export const CLAIM_DEFAULTS = {
  subject: 'sub',
  tenant: 'company_id',
  plan: 'plan',
  scopes: 'scope',
} as const

export const identitySchema = section({
  jwt: z
    .array(tokenSchema)
    .prefault([])
    .meta({
      description:
        'Sources of JSON Web Tokens, sent as `Authorization: Bearer`. One with a secret or public key and one ' +
        'algorithm is in force; several are not yet.',
    }),
  apiKeys: section({
    header: text(fieldName).prefault('X-API-Key').meta({
      description: 'The field that carries the key; it is removed before forwarding.',
    }),
    file: text(line).meta({ description: 'File of hashed keys, from the folder of this file.' }),
  })
    .optional()
    .meta({ pending: true, unset: 'none', description: 'Keys instead of tokens.' }),
  claims: section({
    subject: text(line).prefault(CLAIM_DEFAULTS.subject).meta({ description: 'Who.' }),
    tenant: text(line).prefault(CLAIM_DEFAULTS.tenant).meta({ description: 'For which tenant.' }),
    plan: text(line).prefault(CLAIM_DEFAULTS.plan).meta({ description: 'On which plan.' }),
    scopes: text(line).prefault(CLAIM_DEFAULTS.scopes).meta({ description: 'With which scopes.' }),
  })
    .prefault({})
    .meta({
      description:
        'Which claims say what. Other names than these: not yet in force, refused by `nyro start`.',
    }),
})
