import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type MessagePort, workerData } from 'node:worker_threads'
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

/** What the thread is born with. */
export interface ThreadOrder {
  /** Absolute path of the module. */
  readonly path: string
  /** Takes `ThreadWord`s. Not the thread's own port: a library may take itself for a worker and speak there. */
  readonly port: MessagePort
}

/** Evaluates the module; nothing but data leaves. */
function evaluate({ path, port }: ThreadOrder): void {
  const say = (word: ThreadWord): void => port.postMessage(word)
  const loaded: string[] = []
  let failedImport: FailedImport | null = null
  registerHooks({
    resolve(specifier, { parentURL = '' }, next) {
      try {
        return next(specifier)
      } catch (error) {
        if (loaded.includes(parentURL)) failedImport = { specifier, parent: parentURL, error }
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
    (error: unknown) => {
      const fault = locateFault(error, { loaded, failedImport })
      const [entry] = loaded
      // Behind a symbolic link, as in a Kubernetes volume, the operator knows it by the link's name.
      const isEntry = entry !== undefined && fault.file === fileURLToPath(entry)
      say({ kind: 'fault', fault: isEntry ? { ...fault, file: path } : fault })
    },
  )
}

// The order that evaluation.ts gives.
evaluate(workerData as ThreadOrder)
