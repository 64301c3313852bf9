/** Modules of the product, below `src` or `dist`, that a gateway which counts nothing gets from this folder instead. */
export const REPLACED = ['metrics/thread-metrics', 'worker/second-report', 'worker/thread-sampler'] as const

const { NODE_OPTIONS = '' } = process.env

/** Preloads what replaces them, in every thread. By URL: NODE_OPTIONS is split at spaces, which a path may hold. */
export const UNCOUNTED_ENV: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `${NODE_OPTIONS} --import=${new URL('./preload.ts', import.meta.url).href}`,
}

/** What the gateway's standard error says of each. */
export function replacedLine(name: string): string {
  return `replaced ${name}`
}
