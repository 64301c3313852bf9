import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The files of the docs pages that are not ours, by the name they have in `dist/assets`. */
export type AssetName = 'swagger-ui-bundle.js' | 'swagger-ui.css' | 'redoc.standalone.js'

/** Gives a file's bytes. Throws if the installation lacks it. */
export type AssetSource = (name: AssetName) => Buffer

const PACKAGE_PATHS: Readonly<Record<AssetName, readonly [packageName: string, path: string]>> = {
  'swagger-ui-bundle.js': ['swagger-ui-dist', 'swagger-ui-bundle.js'],
  'swagger-ui.css': ['swagger-ui-dist', 'swagger-ui.css'],
  'redoc.standalone.js': ['redoc', 'bundles/redoc.standalone.js'],
}

/**
 * What the build copies into `dist/assets`: every asset, and the licence texts that must travel with it.
 * `from` is an absolute path below node_modules.
 */
export function assetOrigins(): readonly { readonly name: string; readonly from: string }[] {
  const names = Object.keys(PACKAGE_PATHS) as AssetName[]
  return [
    ...names.map((name) => ({ name, from: packagePath(name) })),
    { name: 'swagger-ui-bundle.js.LICENSE.txt', from: `${packagePath('swagger-ui-bundle.js')}.LICENSE.txt` },
    { name: 'swagger-ui.LICENSE.txt', from: join(packageFolder('swagger-ui-dist'), 'LICENSE') },
    { name: 'swagger-ui.NOTICE.txt', from: join(packageFolder('swagger-ui-dist'), 'NOTICE') },
    { name: 'redoc.standalone.js.LICENSE.txt', from: `${packagePath('redoc.standalone.js')}.LICENSE.txt` },
    { name: 'redoc.LICENSE.txt', from: join(packageFolder('redoc'), 'LICENSE') },
  ]
}

/**
 * Reads from `dist/assets` beside the built code, else, in a checkout, from the packages the build copies from.
 * Synchronous on purpose: the request path never waits for libuv's pool, whose four threads a stuck file system
 * can hold; two megabytes out of the page cache take a few milliseconds of one thread, once. Whoever calls keeps them.
 */
export function packageAssets(name: AssetName): Buffer {
  const built = join(import.meta.dirname, '..', 'assets', name)
  return readFileSync(existsSync(built) ? built : packagePath(name))
}

function packagePath(name: AssetName): string {
  const [packageName, path] = PACKAGE_PATHS[name]
  return join(packageFolder(packageName), path)
}

function packageFolder(packageName: string): string {
  return dirname(fileURLToPath(import.meta.resolve(`${packageName}/package.json`)))
}
