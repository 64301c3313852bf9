import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { type AssetName, assetOrigins, packageAssets } from '../../src/docs/assets.ts'
import { openApi } from '../../src/docs/openapi.ts'
import { docsAnswers } from '../../src/docs/pages.ts'
import type { Answer } from '../../src/proxy/answer.ts'
import { routeTo } from '../support/config-part.ts'
import { docsConfig, STANDARD_ROUTES } from './docs-config.ts'

const PATHS = [
  '/openapi.json',
  '/docs',
  '/docs/swagger-ui.css',
  '/docs/page.css',
  '/docs/swagger-ui-bundle.js',
  '/docs/page.js',
  '/redoc',
  '/redoc/page.css',
  '/redoc/redoc.standalone.js',
]
const PAGES = ['/docs', '/redoc']

const live = docsAnswers(docsConfig(), packageAssets)

function get(path: string, answers = live): Answer {
  const make = answers.get(path)
  assert.ok(make !== undefined, `nothing answers ${path}`)
  return make()
}

function field(answer: Answer, name: string): string | null {
  const line = answer.fields.split('\r\n').find((text) => text.toLowerCase().startsWith(`${name}: `))
  return line === undefined ? null : line.slice(name.length + 2)
}

function policyOf(path: string): ReadonlyMap<string, readonly string[]> {
  const policy = field(get(path), 'content-security-policy') ?? ''
  return new Map(
    policy.split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ')
      return [name, sources]
    }),
  )
}

/** What the browser loads for a page: every src and href of an element that loads, as written. */
function loadedBy(path: string): string[] {
  const html = get(path).body.toString()
  return [...html.matchAll(/<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="([^"]*)"/g)].map(
    (match) => match[1] ?? '',
  )
}

describe('the docs pages', () => {
  test('are answered on exactly these paths', () => {
    assert.deepEqual([...live.keys()].sort(), [...PATHS].sort())
  })

  for (const path of PATHS) {
    test(`${path} answers 200 with a body, a type, and complete field lines`, () => {
      const answer = get(path)
      assert.equal(answer.status, 200)
      assert.ok(answer.body.length > 0)
      assert.match(answer.fields, /^(?:[A-Za-z-]+: [\x20-\x7e]+\r\n)+$/)
      assert.equal(field(answer, 'content-length'), null)
      assert.equal(field(answer, 'x-content-type-options'), 'nosniff')
      assert.notEqual(field(answer, 'cache-control'), null)
      const type = path.endsWith('.js')
        ? 'text/javascript; charset=utf-8'
        : path.endsWith('.css')
          ? 'text/css; charset=utf-8'
          : path.endsWith('.json')
            ? 'application/json'
            : 'text/html; charset=utf-8'
      assert.equal(field(answer, 'content-type'), type)
    })
  }

  test('serve the document generated from the config', () => {
    const served: unknown = JSON.parse(get('/openapi.json').body.toString())
    assert.deepEqual(served, JSON.parse(JSON.stringify(openApi(docsConfig()))))
  })

  for (const page of PAGES) {
    test(`${page} loads only files of its own, by content hash, and nothing from elsewhere`, () => {
      const loaded = loadedBy(page).filter((url) => url !== 'data:,')
      assert.ok(loaded.length >= 2)
      for (const url of loaded) {
        const [path, version] = url.split('?v=')
        const asset = get(`/${path}`)
        assert.equal(field(asset, 'etag'), `"${version}"`)
        assert.equal(field(asset, 'cache-control'), 'public, max-age=31536000, immutable')
      }
      assert.doesNotMatch(get(page).body.toString(), /https?:|\/\//)
    })

    test(`${page} is never kept without asking, because it names its files by hash`, () => {
      assert.equal(field(get(page), 'cache-control'), 'no-cache')
    })

    // Text that reached a page by whatever way must not become script: only the page's own files may run, none
    // of them may evaluate text, and the page may talk to its own origin alone.
    test(`${page} has a policy that runs own files only and talks to its own origin only`, () => {
      const policy = policyOf(page)
      assert.deepEqual(policy.get('default-src'), ["'none'"])
      assert.deepEqual(policy.get('script-src'), ["'self'"])
      assert.deepEqual(policy.get('connect-src'), ["'self'"])
      assert.deepEqual(policy.get('frame-ancestors'), ["'none'"])
      assert.deepEqual(policy.get('base-uri'), ["'none'"])
      assert.deepEqual(policy.get('form-action'), ["'none'"])
      const sources = [...policy.values()].flat()
      assert.deepEqual(
        sources.filter((source) => source.startsWith("'unsafe") || source.includes('//')),
        [],
      )
    })

    test(`${page} has no inline script, style or event attribute for its policy to refuse`, () => {
      const html = get(page).body.toString()
      assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)/)
      assert.doesNotMatch(html, /<style|\bstyle=|\bon[a-z]+=/)
    })

    // A configured name is the operator's text; it must show as text even with markup in it.
    test(`${page} shows a name with markup in it as text`, () => {
      const name = '</title><script src="//x"></script>&"'
      const html = get(page, docsAnswers(docsConfig(STANDARD_ROUTES, name), packageAssets)).body.toString()
      assert.ok(
        html.includes('<title>&lt;/title&gt;&lt;script src=&quot;//x&quot;&gt;&lt;/script&gt;&amp;&quot; - '),
      )
      assert.doesNotMatch(html, /<script src="\/\//)
    })
  }

  test('Swagger UI sends the document to no public validator', () => {
    assert.match(get('/docs/page.js').body.toString(), /validatorUrl: 'none'/)
  })

  test('ReDoc loads no logo from a CDN', () => {
    const bundle = get('/redoc/redoc.standalone.js').body.toString('latin1')
    assert.doesNotMatch(bundle, /cdn\.redoc\.ly|fonts\.googleapis|src:"https?:/)
    const original = packageAssets('redoc.standalone.js').toString('latin1')
    assert.equal(original.split('https://cdn.redoc.ly/').length, 2, 'the one address the page replaces')
  })

  // ReDoc's scroll bar comes with a style element of its own, allowed by hash. Another release of ReDoc may change
  // it, and the page would then show an error in the browser's console only: so the hash is computed again here,
  // from the bundle, the way the bundle makes the element's text.
  test('the policy of /redoc allows the two styles this ReDoc makes, by hash', () => {
    const bundle = packageAssets('redoc.standalone.js').toString()
    const match = bundle.match(/\.push\(\[e\.id,"([^"]*)","",(\{version:3,.*?,sourceRoot:""\})\]\)/s)
    assert.ok(match !== null, 'the bundle keeps the style and its source map')
    const evaluate = new Function(`return [${JSON.stringify(match[1])}, ${match[2]}]`)
    const [literal, sourceMap] = evaluate() as [string, object]
    const css = JSON.parse(`"${literal}"`) as string
    const encoded = Buffer.from(JSON.stringify(sourceMap)).toString('base64')
    const text = `${css}\n/*# sourceMappingURL=data:application/json;base64,${encoded} */`
    const hashes = ['', text].map(
      (style) => `'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    )
    assert.deepEqual(policyOf('/redoc').get('style-src'), ["'self'", ...hashes])
  })
})

describe('the docs pages beside configured routes', () => {
  test('are absent with docs: off', () => {
    assert.equal(docsAnswers({ ...docsConfig(), docs: false }, packageAssets).size, 0)
  })

  for (const taken of ['/docs', '/docs/*']) {
    test(`leave /docs and its files to a route for ${taken}`, () => {
      const answers = docsAnswers(docsConfig([routeTo('query', taken, 'none')]), packageAssets)
      const left = [...answers.keys()].filter((path) => path.startsWith('/docs'))
      assert.deepEqual(left, [])
      assert.ok(answers.has('/redoc'))
      assert.ok(answers.has('/openapi.json'))
    })
  }

  test('leave /openapi.json to a route for it', () => {
    const answers = docsAnswers(docsConfig([routeTo('query', '/openapi.json', 'none')]), packageAssets)
    assert.equal(answers.has('/openapi.json'), false)
    assert.ok(answers.has('/docs'))
  })
})

describe('the files of the docs pages', () => {
  test('are read when first asked for, and once', () => {
    const read: AssetName[] = []
    const answers = docsAnswers(docsConfig(), (name) => {
      read.push(name)
      return Buffer.from(name)
    })
    assert.deepEqual(read, [])
    const first = get('/docs/swagger-ui-bundle.js', answers)
    get('/docs', answers)
    get('/docs', answers)
    assert.deepEqual(read, ['swagger-ui-bundle.js', 'swagger-ui.css'])
    assert.equal(get('/docs/swagger-ui-bundle.js', answers), first)
  })

  test('have an origin the build can copy, with the licence texts that travel with them', () => {
    const names = assetOrigins().map((origin) => origin.name)
    for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css', 'redoc.standalone.js'])
      assert.ok(names.includes(name))
    assert.equal(names.filter((name) => /LICENSE|NOTICE/.test(name)).length, 5)
    for (const { from } of assetOrigins()) assert.ok(existsSync(from), from)
  })
})
