import { isTenantText } from '../../lib/tenant-text.ts'
import type { RateNumbers } from '../../limits/rate-rule.ts'
import { RateRule } from '../../limits/rate-rule.ts'
import type { TenantConfig, TenantPlanConfig } from '../config.ts'
import { nearestName } from '../suggestion.ts'
import type { Path, Report } from './report.ts'
import type { PlanDocument, TenantDocument } from './tenant-schema.ts'
import type { Rate } from './unit-format.ts'
import { checkName } from './upstream-check.ts'

/** What `rate` and `burst` mean together: without a burst, what the rate allows in a second, rounded up. */
export function rateNumbers({ amount, periodMs }: Rate, burst: number | undefined): RateNumbers {
  return { count: amount, periodMs, burst: burst ?? Math.ceil((amount * 1_000) / periodMs) }
}

/** Rules within the plans, and of who has which. */
export function checkPlans({ plans, defaultPlan, plan }: TenantDocument, report: Report): void {
  const names = Object.keys(plans)
  for (const [name, document] of Object.entries(plans)) {
    const path = ['tenant', 'plans', name]
    checkName(name, path, report)
    checkPlan(document, path, report)
  }
  if (defaultPlan !== undefined) checkPlanName(defaultPlan, ['tenant', 'defaultPlan'], names, report)
  else if (names.length > 0) {
    report.problem(['tenant', 'defaultPlan'], {
      found: 'is missing while there are plans',
      expected: 'the plan of tenants that have none, or an unknown one',
      remedy: 'Name one of the plans; one without limits is `{}`.',
    })
  }
  for (const [tenant, name] of Object.entries(plan)) {
    const path = ['tenant', 'plan', tenant]
    checkPlanName(name, path, names, report)
    if (isTenantText(tenant)) continue
    report.problem(path, {
      found: 'is the name of no tenant',
      expected: 'a text of 1 to 256 visible ASCII characters, single blanks inside',
      remedy: 'Write it as its credentials do.',
      end: 'key',
    })
  }
}

function checkPlan({ rate, burst }: PlanDocument, path: Path, report: Report): void {
  if (rate !== undefined) checkRate(rate, burst, path, report)
  else if (burst !== undefined) {
    report.problem([...path, 'burst'], {
      found: 'is set without a rate',
      expected: 'a rate that fills it again',
      remedy: 'Add `rate`, or remove it.',
    })
  }
}

function checkPlanName(name: string, path: Path, names: readonly string[], report: Report): void {
  if (names.includes(name)) return
  report.problem(path, {
    found: `names ${report.quote(path, name)}, which is not a plan`,
    expected: 'a name under `tenant.plans`',
    remedy: names.length === 0 ? 'There are none: add it.' : `The nearest is ${nearestName(name, names)}.`,
  })
}

/** Refuses what no counter could hold. */
export function checkRate(rate: Rate, burst: number | undefined, path: Path, report: Report): void {
  try {
    new RateRule({ name: '', by: 'plan', onStoreError: 'local' }, rateNumbers(rate, burst))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    report.problem([...path, burst === undefined ? 'rate' : 'burst'], {
      found: 'is more than a limit can count',
      expected: 'a burst that is there again within a hundred years',
      remedy: 'Lower `burst`, or raise `rate`.',
    })
  }
}

/** But for its assertion, which is judged elsewhere. */
export function normaliseTenant({
  header,
  plans,
  defaultPlan,
  plan,
}: TenantDocument): Omit<TenantConfig, 'assertion'> {
  return {
    header,
    plans: Object.entries(plans).map(([name, document]) => normalisePlan(name, document)),
    defaultPlan: defaultPlan ?? null,
    planOfTenant: plan,
  }
}

function normalisePlan(name: string, document: PlanDocument): TenantPlanConfig {
  const { rate, burst, quota = null, concurrency = null, weight } = document
  return {
    name,
    rate: rate === undefined ? null : rateNumbers(rate, burst),
    quota,
    concurrency,
    weight,
  }
}
