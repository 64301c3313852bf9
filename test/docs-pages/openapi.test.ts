import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import type { RouteConfig } from '../../src/config/config.ts'
import { ROUTE_METHODS } from '../../src/config/default.ts'
import { openApi } from '../../src/docs/openapi.ts'
import { FAILURES } from '../../src/proxy/failure.ts'
import { routeTo } from '../support/config-part.ts'
import { docsConfig, STANDARD_ROUTES } from './docs-config.ts'

interface Operation {
  readonly tags: readonly string[]
  readonly operationId: string
  readonly security: readonly object[]
  readonly responses: Readonly<Record<string, { readonly $ref?: string }>>
}

interface Item {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly get: Operation
  readonly post?: Operation & { readonly requestBody?: object }
}

interface Document {
  readonly openapi: string
  readonly info: { readonly title: string; readonly description: string; readonly version: string }
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Item>>
  readonly components: {
    readonly schemas: { readonly Problem: { readonly required: string[]; readonly properties: Properties } }
    readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, Media>> }>>
    readonly securitySchemes: object
  }
}

interface Properties {
  readonly code: { readonly enum: readonly string[] }
}

interface Media {
  readonly schema: object
  readonly examples: Readonly<Record<string, { readonly value: { readonly code: string } }>>
}

const takes = (route: RouteConfig, methods: readonly string[]): RouteConfig => ({
  ...route,
  match: { ...route.match, methods },
})

const HTTP_METHODS = new Set(['get', 'head', 'post', 'put', 'delete', 'patch', 'options', 'trace'])

function documentOf(config = docsConfig()): Document {
  return JSON.parse(JSON.stringify(openApi(config))) as Document
}

function methodsOf(item: Item | undefined): string[] {
  return Object.keys(item ?? {}).filter((key) => HTTP_METHODS.has(key))
}

const RULES = {
  struct: 'error',
  'no-unresolved-refs': 'error',
  'no-identical-paths': 'error',
  'path-parameters-defined': 'error',
  'operation-parameters-unique': 'error',
  'operation-operationId': 'error',
  'operation-operationId-unique': 'error',
  'security-defined': 'error',
  'no-invalid-media-type-examples': 'error',
} as const

/** The rules that a document breaks, by name. */
async function mistakes(document: object): Promise<string[]> {
  const config = await createConfig({ rules: RULES })
  const problems = await lintFromString({ source: JSON.stringify(document), config })
  return problems.map((problem) => `${problem.ruleId}: ${problem.message}`)
}

describe('the OpenAPI document', () => {
  test('breaks no rule of the specification', async () => {
    assert.deepEqual(await mistakes(documentOf()), [])
  })

  test('breaks no rule with literal paths, methods OpenAPI has no place for, and no routes at all', async () => {
    const odd = [
      takes(routeTo('ingest', '/upload', 'none'), ['PUT', 'PROPFIND']),
      takes(routeTo('query', '/upload', 'required'), ['GET']),
      routeTo('auth', '/*', 'required'),
    ]
    const document = documentOf(docsConfig(odd))
    assert.deepEqual(methodsOf(document.paths['/upload']).sort(), ['get', 'put'])
    assert.deepEqual(await mistakes(document), [])
    assert.deepEqual(await mistakes(documentOf(docsConfig([]))), [])
  })

  test('would be caught breaking a rule', async () => {
    const document = documentOf()
    const item = { get: { operationId: 'root_get', security: [], responses: { 200: { $ref: '#/nowhere' } } } }
    const found = await mistakes({ ...document, paths: { ...document.paths, '/x/{id}': item } })
    const rules = found.map((mistake) => mistake.split(':')[0]).sort()
    assert.deepEqual(rules, ['no-unresolved-refs', 'operation-operationId-unique', 'path-parameters-defined'])
  })

  test('is version 3.1, titled with the configured name', () => {
    const { openapi, info, tags } = documentOf(docsConfig(STANDARD_ROUTES, 'Acme <Edge>'))
    assert.match(openapi, /^3\.1\.\d$/)
    assert.equal(info.title, 'Acme <Edge>')
    assert.equal(info.version, '1.0.0')
    assert.ok(info.description.length > 0)
    assert.deepEqual(
      tags.map((tag) => tag.name),
      ['Proxy', 'Gateway Status'],
    )
  })

  test('lists what the original listed: the same paths, and their methods with HEAD added', () => {
    const { paths } = documentOf()
    for (const path of ['/api/v1/ingest/{path}', '/api/v1/query/{path}', '/api/auth/{path}']) {
      const item = paths[path]
      assert.deepEqual(methodsOf(item).sort(), ROUTE_METHODS.map((method) => method.toLowerCase()).sort())
      const [parameter] = item?.parameters ?? []
      assert.deepEqual(
        { name: parameter?.name, in: parameter?.in, required: parameter?.required },
        { name: 'path', in: 'path', required: true },
      )
      assert.deepEqual(item?.get.tags, ['Proxy'])
      assert.notEqual(item?.post?.requestBody, undefined)
    }
    for (const path of ['/', '/health', '/health/live', '/health/ready']) {
      assert.deepEqual(methodsOf(paths[path]), ['get'])
      assert.deepEqual(paths[path]?.get.tags, ['Gateway Status'])
    }
  })

  test('asks for the bearer token exactly where the route does', () => {
    const { paths, components } = documentOf()
    assert.deepEqual(components.securitySchemes, {
      HTTPBearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    })
    const query = paths['/api/v1/query/{path}']?.get
    const auth = paths['/api/auth/{path}']?.get
    assert.deepEqual(query?.security, [{ HTTPBearer: [] }])
    assert.notEqual(query?.responses['401'], undefined)
    assert.deepEqual(auth?.security, [])
    assert.equal(auth?.responses['401'], undefined)
  })

  test('describes every failure as problem details with detail, code and request_id', () => {
    const { components } = documentOf()
    const { Problem } = components.schemas
    assert.deepEqual(Problem.required, ['type', 'title', 'status', 'detail', 'code', 'request_id'])
    assert.deepEqual(Problem.properties.code.enum, Object.keys(FAILURES))
    for (const response of Object.values(components.responses)) {
      const media = response.content['application/problem+json']
      assert.deepEqual(media?.schema, { $ref: '#/components/schemas/Problem' })
      for (const [code, example] of Object.entries(media?.examples ?? {})) {
        assert.equal(example.value.code, code)
        assert.ok(code in FAILURES)
      }
    }
  })

  test('gives every failure a routed request can meet a place on the route', () => {
    const { paths, components } = documentOf()
    const told = new Set<string>()
    for (const { $ref } of Object.values(paths['/api/v1/ingest/{path}']?.get.responses ?? {})) {
      const name = $ref?.split('/').at(-1) ?? ''
      const media = components.responses[name]?.content['application/problem+json']
      for (const code of Object.keys(media?.examples ?? {})) told.add(code)
    }
    const untold = Object.keys(FAILURES).filter((code) => !told.has(code))
    assert.deepEqual(untold, ['route_unknown', 'method_not_allowed'])
  })

  test('leaves out an own endpoint that a route is configured for', () => {
    const { paths } = documentOf(docsConfig([routeTo('query', '/', 'none')]))
    assert.deepEqual(paths['/']?.get.tags, ['Proxy'])
  })

  test('leaves out the greeting where a catch-all takes it, and only there', () => {
    const everywhere = documentOf(docsConfig([routeTo('query', '/*', 'none')]))
    assert.equal(everywhere.paths['/'], undefined)
    const route = routeTo('query', '/*', 'none')
    const onOneHost = { ...route, match: { ...route.match, hosts: ['a.test'] } }
    assert.notEqual(documentOf(docsConfig([onOneHost])).paths['/'], undefined)
  })

  test('writes parameters as OpenAPI does, one path for templates that differ in names only', async () => {
    const routes = [
      takes(routeTo('query', '/users/:id/files/*', 'none', { name: 'files' }), ['GET']),
      takes(routeTo('query', '/users/:user/files/*', 'none', { name: 'upload' }), ['POST']),
      takes(routeTo('query', '/:path/*', 'none', { name: 'rest' }), ['GET']),
    ]
    const document = documentOf(docsConfig(routes))
    const paths = Object.keys(document.paths).filter((path) => path.includes('{'))
    assert.deepEqual(paths, ['/users/{id}/files/{path}', '/{path}/{path_}'])
    const item = document.paths['/users/{id}/files/{path}']
    assert.deepEqual(methodsOf(item).sort(), ['get', 'post'])
    assert.deepEqual(
      item?.parameters?.map(({ name }) => name),
      ['id', 'path'],
    )
    assert.deepEqual(await mistakes(document), [])
  })

  test('describes of several routes on a path the one that asks least', async () => {
    const plain = routeTo('query', '/a', 'none', { name: 'plain' })
    const beta = {
      ...plain,
      name: 'beta',
      match: { ...plain.match, headers: [{ name: 'x-beta', value: '1' }] },
    }
    for (const routes of [
      [plain, beta],
      [beta, plain],
    ]) {
      const document = documentOf(docsConfig(routes))
      assert.equal(document.paths['/a']?.get.operationId, 'plain_get')
      assert.deepEqual(await mistakes(document), [])
    }
  })

  test('describes a redirect by its status, without a service that could fail', async () => {
    const ending = {
      kind: 'redirect',
      status: 308,
      scheme: 'https',
      host: null,
      port: null,
      path: null,
    } as const
    const document = documentOf(docsConfig([routeTo('query', '/old', 'optional', { name: 'old', ending })]))
    const operation = document.paths['/old']?.get
    assert.deepEqual(Object.keys(operation?.responses ?? {}).sort(), [
      '308',
      '400',
      '401',
      '403',
      '4XX',
      '5XX',
    ])
    assert.deepEqual(operation?.security, [{ HTTPBearer: [] }, {}])
    assert.equal(document.paths['/old']?.post?.requestBody, undefined)
    assert.deepEqual(await mistakes(document), [])
  })

  // The document is public. Addresses of services inside the network and every secret must stay out of it.
  test('names no upstream host, no secret and no admin token', () => {
    assert.doesNotMatch(JSON.stringify(documentOf()), /private-/)
  })
})
