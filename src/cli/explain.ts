import type { Asked } from '../explain/asked.ts'
import type { Explanation } from '../explain/explanation.ts'
import { type Arguments, optionValue } from './arguments.ts'
import { askAdmin } from './ask-admin.ts'
import { loadSettings } from './load-settings.ts'
import type { ProcessEdge } from './process-edge.ts'
import { describeRefusal } from './refusal.ts'

const METHOD = /^[!#$%&'*+.^_`|~\w-]+$/

/**
 * Says what would become of a request, by a configuration or by a running gateway. Exits 0 whatever that is, 1 where
 * it cannot be told, 2 on misuse.
 */
export async function explain(edge: ProcessEdge, given: Arguments): Promise<void> {
  const [method = '', url = ''] = given.operands
  if (!METHOD.test(method)) {
    edge.complain('nyro: explain expects a method first, such as GET, and then a URL or a path\n')
    return edge.exit(2)
  }
  const asked: Asked = {
    method,
    url,
    fields: given.options.get('header') ?? [],
    token: optionValue(given, 'token'),
    from: optionValue(given, 'from') ?? '127.0.0.1',
  }
  const admin = optionValue(given, 'admin')
  const told =
    admin === null ? await tellOffline(edge, given, asked) : await tellFromRunning(edge, given, asked)
  if (typeof told === 'string') {
    edge.complain(told)
    return edge.exit(1)
  }
  if (given.options.has('json')) return edge.print(`${JSON.stringify(told, null, 2)}\n`)
  const { explanationText } = await import('../explain/explanation-text.ts')
  edge.print(explanationText(told))
}

/** A string is what to complain. */
async function tellOffline(edge: ProcessEdge, given: Arguments, asked: Asked): Promise<Explanation | string> {
  const loaded = await loadSettings(edge, optionValue(given, 'config'))
  if (loaded.config === null)
    return describeRefusal('nothing can be explained', loaded.problems, loaded.warnings)
  const { explainInThread } = await import('../explain/explain-in-thread.ts')
  const { config } = loaded
  const live = config.upstreams.map((upstream, slot) => ({ config: upstream, slot, endpoints: null }))
  // Keys that an issuer publishes are with the running gateway.
  const identity = { keys: [], revocations: null }
  const outcome = await explainInThread({ asked, config, live, memory: null, identity })
  return outcome.explanation ?? `nyro: it cannot be explained: ${outcome.fault}\n`
}

async function tellFromRunning(
  edge: ProcessEdge,
  given: Arguments,
  asked: Asked,
): Promise<Explanation | string> {
  const reply = await askAdmin(edge, given, { method: 'POST', path: '/explain', body: asked })
  // What the operator listener of this product answers with.
  return reply.fault === null ? (reply.body as Explanation) : `nyro: ${reply.fault}\n`
}
