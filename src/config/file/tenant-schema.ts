import { z } from 'zod'
import { MOST_PLACES } from '../../limits/place-count.ts'
import { ASSERTION_HEADER, TENANT_HEADER } from '../default.ts'
import { line } from '../format.ts'
import { durationLeaf, keyText, quotaLeaf, rateLeaf, section, text, wholeLeaf } from './leaf.ts'
import { fieldName, itemName } from './match-format.ts'

const plan = section({
  rate: rateLeaf.optional().meta({ unset: 'none', description: 'Requests, refilled continuously (GCRA).' }),
  burst: wholeLeaf(1, 1_000_000_000).optional().meta({
    unset: 'what `rate` allows in a second, rounded up',
    description: 'Requests at once after a rest.',
  }),
  quota: quotaLeaf.optional().meta({
    unset: 'none',
    description: 'Requests in a window of the UTC calendar, such as `10000/day`.',
  }),
  concurrency: wholeLeaf(1, MOST_PLACES).optional().meta({
    unset: 'none',
    description: 'Exchanges of a tenant at once, whole process.',
  }),
  weight: wholeLeaf(1, 1_000).prefault(1).meta({
    description: 'Share of a busy upstream, against the weights of others that wait.',
  }),
})

const assertion = section({
  header: text(fieldName).prefault(ASSERTION_HEADER).meta({
    description: "The request field it is in; clients' copies vanish on every route.",
  }),
  ttl: durationLeaf(2_000).prefault('60s').meta({
    description: 'How long one is good for, in whole seconds, and never longer than the credential.',
  }),
  issuer: text(line).prefault('nyro-gateway').meta({ description: 'What its `iss` says.' }),
  audience: text(line).optional().meta({ unset: 'none', description: 'What its `aud` says.' }),
  key: keyText.optional().meta({
    unset: 'keys that the process makes and changes every day',
    description:
      'A PEM private key on the curve P-256, or the path of a file that holds one: for several replicas, whose ' +
      'assertions upstreams verify by one key set.',
  }),
})

export type AssertionDocument = z.output<typeof assertion>

export const tenantSchema = section({
  header: text(fieldName).prefault(TENANT_HEADER).meta({
    description: "The request field that states the verified tenant; clients' copies vanish on every route.",
  }),
  defaultPlan: text(itemName).optional().meta({
    unset: 'required where there are plans',
    description: 'For tenants without a plan, or with an unknown one.',
  }),
  plans: z.record(z.string(), plan).prefault({}).meta({
    description: 'Limits per tenant over all routes, by name of the plan.',
  }),
  assertion: assertion.optional().meta({
    unset: 'none',
    description:
      'A signed statement of who calls, for upstreams that want proof: a JWS (ES256) whose public keys are at ' +
      '`/.well-known/jwks.json` of the operator listener.',
  }),
  plan: z.record(z.string(), text(itemName)).prefault({}).meta({
    description: "Plans of single tenants, by tenant. Wins over the token's claim.",
  }),
})

export type TenantDocument = z.output<typeof tenantSchema>
export type PlanDocument = z.output<typeof plan>
