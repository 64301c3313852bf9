import { createHash } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { type Answer, answer, jsonAnswer } from '../proxy/answer.ts'
import type { AssetName, AssetSource } from './assets.ts'
import { isRouted, openApi } from './openapi.ts'

/** A file of a page: its bytes, read when first asked for and kept, and the short hash that names them. */
interface Asset {
  readonly path: string
  readonly type: string
  content(): { readonly body: Buffer; readonly version: string }
}

interface Page {
  readonly path: string
  readonly assets: readonly Asset[]
  readonly policy: string
  html(urlOf: (asset: Asset) => string): string
}

const SCRIPT = 'text/javascript; charset=utf-8'
const STYLE = 'text/css; charset=utf-8'

/**
 * What the gateway answers on its docs paths, by exact path: `/docs` (Swagger UI), `/redoc` (ReDoc), `/openapi.json`
 * and the pages' files below `/docs/` and `/redoc/`. Empty where the config says `docs: off`. A path a route is
 * configured for is left out, and with a page its files, so that `/docs/*` of a service is never shadowed.
 *
 * Everything is made on first request and kept as long as the map: the functions are cheap from then on.
 */
export function docsAnswers(config: Config, assets: AssetSource): ReadonlyMap<string, () => Answer> {
  const answers = new Map<string, () => Answer>()
  if (!config.docs) return answers
  if (!isRouted(config.routes, '/openapi.json')) {
    answers.set(
      '/openapi.json',
      once(() => {
        const document = jsonAnswer(200, openApi(config))
        return answer(200, `${document.fields}${COMMON_FIELDS}Cache-Control: no-cache\r\n`, document.body)
      }),
    )
  }
  for (const page of [swaggerPage(config.name, assets), redocPage(config.name, assets)]) {
    if (isRouted(config.routes, page.path)) continue
    answers.set(
      page.path,
      once(() => pageAnswer(page)),
    )
    for (const asset of page.assets) {
      answers.set(
        asset.path,
        once(() => assetAnswer(asset)),
      )
    }
  }
  return answers
}

const COMMON_FIELDS = 'X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n'

function pageAnswer(page: Page): Answer {
  // Relative, so that the page also works behind a proxy that takes a path prefix off.
  const html = page.html((asset) => `${asset.path.slice(1)}?v=${asset.content().version}`)
  const fields =
    `Content-Type: text/html; charset=utf-8\r\nContent-Security-Policy: ${page.policy}\r\n` +
    `${COMMON_FIELDS}Cache-Control: no-cache\r\n`
  return answer(200, fields, html)
}

function assetAnswer(asset: Asset): Answer {
  const { body, version } = asset.content()
  // Immutable, because the pages ask for it by content hash, and the pages themselves are never served stale.
  const fields =
    `Content-Type: ${asset.type}\r\n${COMMON_FIELDS}` +
    `Cache-Control: public, max-age=31536000, immutable\r\nETag: "${version}"\r\n`
  return answer(200, fields, body)
}

function contentPolicy(own: Readonly<Record<string, string>>): string {
  const directives = {
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self' data:",
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    ...own,
  }
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources}`)
    .join('; ')
}

function swaggerPage(name: string, assets: AssetSource): Page {
  const style = packaged('/docs/swagger-ui.css', STYLE, assets, 'swagger-ui.css')
  const bundle = packaged('/docs/swagger-ui-bundle.js', SCRIPT, assets, 'swagger-ui-bundle.js')
  const layout = written('/docs/page.css', STYLE, 'body { margin: 0 }\n')
  const start = written('/docs/page.js', SCRIPT, SWAGGER_START)
  return {
    path: '/docs',
    assets: [style, layout, bundle, start],
    policy: contentPolicy({}),
    html: (urlOf) =>
      html(`${name} - Swagger UI`, [urlOf(style), urlOf(layout)], '<div id="swagger-ui"></div>', [
        urlOf(bundle),
        urlOf(start),
      ]),
  }
}

/** `validatorUrl: 'none'`: the default sends the document's address to a public validator. */
const SWAGGER_START = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: 'none',
  presets: [SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
})
`

function redocPage(name: string, assets: AssetSource): Page {
  const layout = written('/redoc/page.css', STYLE, 'body { margin: 0; padding: 0 }\n')
  const bundle: Asset = {
    path: '/redoc/redoc.standalone.js',
    type: SCRIPT,
    content: once(() => versioned(withoutRemoteLogo(assets('redoc.standalone.js')))),
  }
  return {
    path: '/redoc',
    assets: [layout, bundle],
    // The search index is built in a worker that the bundle makes from a blob.
    policy: contentPolicy({ 'style-src': `'self' ${REDOC_STYLES}`, 'worker-src': 'blob:' }),
    html: (urlOf) =>
      html(`${name} - ReDoc`, [urlOf(layout)], '<redoc spec-url="openapi.json"></redoc>', [urlOf(bundle)]),
  }
}

/**
 * The two style elements ReDoc makes: an empty one that its rules are then inserted into one by one, and the one
 * of its scroll bar. Naming them by hash spares the page 'unsafe-inline'.
 */
const REDOC_STYLES =
  "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"

/**
 * ReDoc's footer loads its logo from a CDN and has no option against it. An image that fails to decode is what the
 * bundle removes by itself, without a request and without an error; the link in the footer stays.
 */
function withoutRemoteLogo(bundle: Buffer): Buffer {
  const at = bundle.indexOf(REMOTE_LOGO)
  if (at < 0) return bundle
  return Buffer.concat([
    bundle.subarray(0, at),
    Buffer.from('data:,'),
    bundle.subarray(at + REMOTE_LOGO.length),
  ])
}

const REMOTE_LOGO = 'https://cdn.redoc.ly/redoc/logo-mini.svg'

function packaged(path: string, type: string, assets: AssetSource, name: AssetName): Asset {
  return { path, type, content: once(() => versioned(assets(name))) }
}

function written(path: string, type: string, text: string): Asset {
  return { path, type, content: once(() => versioned(Buffer.from(text))) }
}

function versioned(body: Buffer): { readonly body: Buffer; readonly version: string } {
  return { body, version: createHash('sha256').update(body).digest('hex').slice(0, 16) }
}

function once<T extends object>(make: () => T): () => T {
  let made: T | null = null
  return () => {
    made ??= make()
    return made
  }
}

/** `data:,` for an icon: without one a browser asks for /favicon.ico, which is no path of ours. */
function html(title: string, styles: readonly string[], body: string, scripts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
${styles.map((url) => `<link rel="stylesheet" href="${url}">\n`).join('')}</head>
<body>
<noscript>This page needs JavaScript. The document it shows is at <a href="openapi.json">openapi.json</a>.</noscript>
${body}
${scripts.map((url) => `<script src="${url}"></script>\n`).join('')}</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
