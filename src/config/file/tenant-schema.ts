import { z } from 'zod'
import { MOST_PLACES } from '../../limits/place-count.ts'
import { TENANT_HEADER } from '../default.ts'
import { quotaLeaf, rateLeaf, section, text, wholeLeaf } from './leaf.ts'
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
  plan: z.record(z.string(), text(itemName)).prefault({}).meta({
    description: "Plans of single tenants, by tenant. Wins over the token's claim.",
  }),
})

export type TenantDocument = z.output<typeof tenantSchema>
export type PlanDocument = z.output<typeof plan>
