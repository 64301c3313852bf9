import { createHmac } from 'node:crypto'
import { isHard } from './judge.ts'
import { Lane } from './lane.ts'
import type { ClientMessage, ClientOrder } from './message.ts'
import { type Plan, TOKENS_PER_TENANT, tenantNames } from './plan.ts'

/** The soak's client side, a process of its own: as many lanes as asked for against the gateway. */
const order: ClientOrder = JSON.parse(process.argv[2] ?? '')
const counts: Record<string, number> = {}
const tokens = makeTokens(order.secret)
let settledCount = 0
let open = order.lanes

function tell(message: ClientMessage): void {
  process.send?.(message)
}

function progress(): void {
  tell({ kind: 'progress', settled: settledCount, counts })
}

const lanes: Lane[] = []
for (let lane = 0; lane < order.lanes; lane++) {
  lanes.push(
    new Lane({
      ...order,
      lane,
      tokenOf: (plan) => tokenOf(plan),
      settled(plan, ending, seen) {
        settledCount++
        counts[ending] = (counts[ending] ?? 0) + 1
        if (isHard(ending)) tell({ kind: 'fault', text: `${ending}: ${seen}; plan ${JSON.stringify(plan)}` })
        else if (ending === 'collateral')
          tell({ kind: 'note', text: `${ending}: ${seen}; plan ${JSON.stringify(plan)}` })
      },
      done() {
        if (--open > 0) return
        clearInterval(watch)
        progress()
        tell({ kind: 'done' })
        process.disconnect?.()
      },
    }),
  )
}
const watch = setInterval(() => {
  progress()
  const sinceMs = performance.now() - order.boundMs
  for (const lane of lanes) lane.watch(sinceMs)
}, 250)
for (const lane of lanes) lane.start()

function tokenOf(plan: Plan): string | null {
  if (plan.tenant === null) return null
  return tokens.get(plan.tenant)?.[plan.token] ?? null
}

function makeTokens(secret: string): Map<string, string[]> {
  const made = new Map<string, string[]>()
  const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
  for (const tenant of tenantNames()) {
    const own: string[] = []
    for (let index = 0; index < TOKENS_PER_TENANT; index++) {
      const claims = { sub: `user-${index}`, company_id: tenant, exp: 4_102_444_800 }
      const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
      own.push(`${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`)
    }
    made.set(tenant, own)
  }
  return made
}
