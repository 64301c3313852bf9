/** Builds the live page into the folder that the first parameter names. */
import { join } from 'node:path'
import { build } from 'vite'

const [outDir] = process.argv.slice(2)
if (outDir === undefined) throw new Error('usage: build.ts FOLDER')

await build({
  configFile: false,
  root: join(import.meta.dirname),
  base: '/',
  logLevel: 'warn',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    // A data: URL would be refused by the page's policy.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
})
