import { registerHooks } from 'node:module'

const NAME = 'nyro-gateway'
const ENTRY = new URL(`../index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href

/**
 * Makes `nyro-gateway` mean the running product in whatever this thread imports from now on: a config or policy of the
 * operator's gets by with no installation of its own, and never meets another version's types at run time.
 */
export function resolveProduct(): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === NAME ? { url: ENTRY, shortCircuit: true } : next(specifier, context),
  })
}
