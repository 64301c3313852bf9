import { z } from 'zod'
import { CLAIM_NAMES } from '../../lib/claim.ts'
import { choice, line } from '../format.ts'
import { jwtAlgorithms } from '../jwt-key.ts'
import {
  choiceLeaf,
  durationLeaf,
  flagLeaf,
  LONGEST_MEMORY_MS,
  pemText,
  secretText,
  section,
  text,
} from './leaf.ts'
import { claimName, plainHost } from './list-format.ts'
import { fieldName, itemName } from './match-format.ts'

const CLAIM_SPEECH = {
  subject: 'Who.',
  tenant: 'For which tenant.',
  plan: 'On which plan; a text.',
  scopes: 'With which scopes: words with blanks between, or a list.',
} as const

const keys = section({
  refresh: durationLeaf(1_000).prefault('10m').meta({
    description: 'The longest between two fetches; a shorter `Cache-Control: max-age` is kept.',
  }),
  cooldown: durationLeaf(1_000).prefault('30s').meta({
    description: 'The shortest between two fetches: an unknown key id makes one earlier, but not more often.',
  }),
  maxStale: durationLeaf(0, LONGEST_MEMORY_MS).prefault('24h').meta({
    description: 'How long the last good keys serve while they cannot be fetched, at most `480h`.',
  }),
  plainHosts: z
    .array(text(plainHost))
    .prefault([])
    .meta({ description: 'Hosts that may be asked over plain http, beside this machine itself.' }),
})

/** One source of tokens. */
export const tokenSchema = section({
  name: text(itemName).optional().meta({
    unset: '`default`, `default-2` for the second entry, and so on',
    description: 'Names it in logs and metrics.',
  }),
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
  jwks: text(line).optional().meta({
    accepts: 'an https:// URL',
    unset: 'none',
    description: 'Where the key set is (RFC 7517).',
  }),
  issuer: text(line)
    .optional()
    .meta({
      unset: 'any that no other entry claims; of several entries one may leave it out',
      description:
        'What `iss` must be, which picks the entry that a token is verified by. Without secret, publicKey and jwks it is ' +
        'an https:// URL from where keys are found (OpenID Connect Discovery 1.0).',
    }),
  audience: z
    .union([text(line), z.array(text(line))])
    .optional()
    .meta({
      accepts: 'one line of text, or a list of them',
      unset: 'not looked at',
      description: 'What `aud` must hold: one of these.',
    }),
  algorithms: z
    .array(choiceLeaf(choice(jwtAlgorithms), jwtAlgorithms))
    .optional()
    .meta({
      unset: '`[HS256]` with a secret',
      description: 'Tokens signed in any other way are refused.',
    }),
  clockSkew: durationLeaf(0).prefault('0s').meta({
    description: 'Leeway for `exp` and `nbf`, in whole seconds.',
  }),
  maxLifetime: durationLeaf(1_000, LONGEST_MEMORY_MS).optional().meta({
    unset: 'any',
    description:
      'The longest from `iat`, which is required then, to `exp`; in whole seconds, at most `480h`.',
  }),
  requiredClaims: z
    .array(text(claimName))
    .prefault([])
    .meta({ description: 'Claims that must be there, beside subject, tenant and `exp`. At most 16.' }),
  claims: section({
    subject: text(claimName)
      .optional()
      .meta({ unset: '`identity.claims`', description: CLAIM_SPEECH.subject }),
    tenant: text(claimName).optional().meta({ unset: '`identity.claims`', description: CLAIM_SPEECH.tenant }),
    plan: text(claimName).optional().meta({ unset: '`identity.claims`', description: CLAIM_SPEECH.plan }),
    scopes: text(claimName).optional().meta({ unset: '`identity.claims`', description: CLAIM_SPEECH.scopes }),
  })
    .prefault({})
    .meta({ description: 'Names of claims, where this issuer has others.' }),
  keys: keys.optional().meta({
    unset: 'the defaults below',
    description: 'How keys that are fetched are kept fresh.',
  }),
  allowWeakSecret: flagLeaf.prefault(false).meta({
    description: 'Turns the refusal of a short secret into a warning, for installations that must keep one.',
  }),
})

export type TokenDocument = z.output<typeof tokenSchema>

/** How keys are kept fresh where nothing is said of it. */
export const KEY_DEFAULTS: z.output<typeof keys> = keys.parse({})

export const identitySchema = section({
  jwt: z
    .array(tokenSchema)
    .prefault([])
    .meta({
      description:
        'Issuers of JSON Web Tokens, sent as `Authorization: Bearer`: each with one of secret, publicKey and jwks, or ' +
        'with an issuer alone.',
    }),
  apiKeys: section({
    header: text(fieldName).prefault('X-API-Key').meta({
      description: 'The field that carries the key; it is removed before forwarding, on every route.',
    }),
    file: text(line).meta({
      accepts: 'the path of a .yaml or .json file',
      description:
        'File of hashed keys, from the folder of this file: a list of `name`, `tenant`, `hash`, `prefix`, and if wanted ' +
        '`scopes`, `plan`, `expires`, `subject`.',
    }),
  })
    .optional()
    .meta({ unset: 'none', description: 'Keys that are as good as tokens.' }),
  claims: section({
    subject: text(claimName).prefault(CLAIM_NAMES.subject).meta({ description: CLAIM_SPEECH.subject }),
    tenant: text(claimName).prefault(CLAIM_NAMES.tenant).meta({ description: CLAIM_SPEECH.tenant }),
    plan: text(claimName).prefault(CLAIM_NAMES.plan).meta({ description: CLAIM_SPEECH.plan }),
    scopes: text(claimName).prefault(CLAIM_NAMES.scopes).meta({ description: CLAIM_SPEECH.scopes }),
  })
    .prefault({})
    .meta({ description: 'Which claims say what: top-level names, exactly as they are in tokens.' }),
})

export type IdentityDocument = z.output<typeof identitySchema>
