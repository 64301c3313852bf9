import { writeSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { basename } from 'node:path'
import { REPLACED, replacedLine } from './replaced.ts'

/** Has a gateway count nothing, which no setting of the product does: what counting costs is measured against it. */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context)
    const name = REPLACED.find(
      (one) => resolved.url.endsWith(`/src/${one}.ts`) || resolved.url.endsWith(`/dist/${one}.js`),
    )
    if (name === undefined) return resolved
    // Past the log: a thread's own standard error goes through control.
    writeSync(2, `${replacedLine(name)}\n`)
    return { url: new URL(`./${basename(name)}.ts`, import.meta.url).href, shortCircuit: true }
  },
})
