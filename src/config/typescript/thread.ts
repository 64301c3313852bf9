import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { resolveProduct } from '../../lib/product-module.ts'
import { type FailedImport, locateFault, type ModuleFault } from './module-fault.ts'
import { copyPlain, type Foreign } from './plain-data.ts'

/** What the thread that evaluates a config says, in this order. */
export type ThreadWord =
  /** A file of the operator's that is about to be evaluated: absolute path. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'fault'; readonly fault: ModuleFault }
  | { readonly kind: 'no default' }
  | { readonly kind: 'value'; readonly value: unknown; readonly foreign: readonly Foreign[] }

const PRODUCT = new URL('../../', import.meta.url).href

/** Evaluates the module at an absolute path; nothing but data leaves. */
function evaluate(path: string, say: (word: ThreadWord) => void): void {
  const loaded: string[] = []
  let failedImport: FailedImport | null = null
  const isOwn = (url: string | undefined): url is string => url !== undefined && loaded.includes(url)
  registerHooks({
    resolve(specifier, { parentURL }, next) {
      try {
        return next(specifier)
      } catch (error) {
        if (isOwn(parentURL)) failedImport = { specifier, parent: parentURL, error }
        throw error
      }
    },
    load(url, _, next) {
      if (url.startsWith('file:') && !url.includes('/node_modules/') && !url.startsWith(PRODUCT)) {
        loaded.push(url)
        say({ kind: 'file', path: fileURLToPath(url) })
      }
      return next(url)
    },
  })
  resolveProduct()
  // No `await` at this level: one in the config that nothing settles would have Node print about this file.
  import(pathToFileURL(path).href).then(
    (module: Readonly<Record<string, unknown>>) => {
      if (!('default' in module)) return say({ kind: 'no default' })
      say({ kind: 'value', ...copyPlain(module['default']) })
    },
    (error: unknown) => say({ kind: 'fault', fault: locateFault(error, { loaded, failedImport }) }),
  )
}

if (parentPort !== null) {
  const port = parentPort
  // The one path that evaluation.ts gives.
  evaluate(String(workerData), (word) => port.postMessage(word))
}
