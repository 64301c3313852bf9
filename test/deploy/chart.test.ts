import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { ROOT } from '../budgets/tree.ts'
import { CHART, chart, defaultValues, RELEASE, renderChart } from './chart.ts'
import { type Definitions, parseTemplate, renderTemplate, type Values } from './go-template.ts'
import { type Manifest, manifestsIn, only, variablesOf } from './manifest.ts'
import { unknownVariables } from './product-environment.ts'

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly version: string
}
const schema = z.fromJSONSchema(JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')))

function manifestsOf(values: Values, release = RELEASE): readonly Manifest[] {
  return [...renderChart(values, release)]
    .filter(([name, text]) => name.endsWith('.yaml') && text.trim() !== '')
    .flatMap(([, text]) => manifestsIn(text))
}

/** Paths of what is not a map, or is an empty one. */
function leavesOf(values: Values, parent = ''): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value)
    const inner = isBranch ? leavesOf(value as Values, `${parent}${name}.`) : [] // a map, by the line above
    return inner.length > 0 ? inner : [`${parent}${name}`]
  })
}

function render(template: string, root: Values): string {
  const definitions: Definitions = new Map()
  return renderTemplate(parseTemplate(template, definitions), root, definitions)
}

describe('the Helm chart', () => {
  test('has the version of the product', () => {
    assert.equal(chart.version, version)
    assert.equal(chart.appVersion, version)
  })

  test('names only variables that the product has', () => {
    const folder = join(CHART, 'templates')
    assert.deepEqual(
      readdirSync(folder).flatMap((name) => unknownVariables(readFileSync(join(folder, name), 'utf8'))),
      [],
    )
  })

  test('carries the name and namespace of the release everywhere', () => {
    const release = { Name: 'edge', Namespace: 'shop', Service: 'Helm' }
    const all = manifestsOf({ serviceMonitor: { enabled: true } }, release)
    assert.ok(all.length >= 9)
    for (const { kind, metadata } of all) {
      assert.match(metadata.name, /^edge(-admin)?$/, kind)
      assert.deepEqual({ ...metadata, namespace: 'shop' }, metadata, kind)
      assert.equal(metadata.labels['app.kubernetes.io/instance'], 'edge', kind)
      assert.equal(metadata.labels['app.kubernetes.io/managed-by'], 'Helm', kind)
    }
  })

  test('leaves out what is turned off', () => {
    const off = { enabled: false }
    const all = manifestsOf({ podDisruptionBudget: off, autoscaling: off, networkPolicy: off })
    assert.deepEqual(all.map(({ kind }) => kind).sort(), [
      'ConfigMap',
      'Deployment',
      'Service',
      'Service',
      'ServiceAccount',
    ])
    assert.equal(only('Deployment', 'nyro-gateway', all).spec.replicas, defaultValues['replicas'])
  })

  test('gives a pod a grace period in step with its drain, whatever the values', () => {
    const shutdown = { preStop: 4, delay: 10, timeout: 300, margin: 6 }
    const { template } = only('Deployment', 'nyro-gateway', manifestsOf({ shutdown })).spec
    const [container] = template.spec.containers
    const env = variablesOf(container, '')
    assert.equal(template.spec.terminationGracePeriodSeconds, 320)
    assert.equal(container.lifecycle.preStop.sleep.seconds, 4)
    assert.equal(env['GATEWAY_SHUTDOWN_DELAY'], '10')
    assert.equal(env['GATEWAY_SHUTDOWN_TIMEOUT'], '300')
  })

  test('keeps probes, ports and services in step with the ports', () => {
    const [container] = only(
      'Deployment',
      'nyro-gateway',
      manifestsOf({ port: 9000, adminPort: 9001, image: { repository: 'example/gateway', tag: '1.2.3' } }),
    ).spec.template.spec.containers
    const env = variablesOf(container, '')
    assert.deepEqual(
      container.ports.map(({ name, containerPort }) => [name, containerPort]),
      [
        ['http', 9000],
        ['admin', 9001],
      ],
    )
    assert.deepEqual([env['GATEWAY_PORT'], env['GATEWAY_ADMIN_PORT']], ['9000', '9001'])
    assert.equal(container.image, 'example/gateway:1.2.3')
  })

  test('passes annotations, peers and placement on', () => {
    const peer = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } } }
    const all = manifestsOf({
      serviceAccount: { annotations: { 'example.com/role': 'edge' } },
      networkPolicy: { publicFrom: [peer] },
      nodeSelector: { 'kubernetes.io/arch': 'arm64' },
      tolerations: [{ key: 'edge', operator: 'Exists' }],
      podAnnotations: { 'example.com/note': 'yes' },
      image: { pullSecrets: [{ name: 'pull' }] },
    })
    assert.deepEqual(only('NetworkPolicy', 'nyro-gateway', all).spec.ingress[0]?.from, [peer])
    const { spec } = only('Deployment', 'nyro-gateway', all).spec.template
    assert.deepEqual({ ...spec, nodeSelector: { 'kubernetes.io/arch': 'arm64' } }, spec)
    assert.deepEqual({ ...spec, tolerations: [{ key: 'edge', operator: 'Exists' }] }, spec)
    assert.deepEqual({ ...spec, imagePullSecrets: [{ name: 'pull' }] }, spec)
  })

  test('uses every value that it offers', () => {
    const folder = join(CHART, 'templates')
    const templates = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
    const used = new Set(
      templates.flatMap((text) => [...text.matchAll(/\.Values\.([\w.]+)/g)].map(([, path = '']) => path)),
    )
    const isUsed = (path: string): boolean =>
      used.has(path) || (path.includes('.') && isUsed(path.slice(0, path.lastIndexOf('.'))))
    assert.deepEqual(
      leavesOf(defaultValues).filter((path) => !isUsed(path)),
      [],
    )
  })

  test('tells how to go on', () => {
    const notes = renderChart({}).get('NOTES.txt') ?? ''
    assert.match(notes, /create secret generic nyro-gateway /)
    assert.match(notes, /port-forward service\/nyro-gateway 8080:80/)
  })
})

describe('values.schema.json', () => {
  test('accepts the defaults', () => {
    assert.deepEqual(schema.safeParse(defaultValues).error?.issues ?? [], [])
  })

  test('knows every key of values.yaml', () => {
    const { properties } = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as {
      readonly properties: Values
    }
    assert.deepEqual(
      Object.keys(properties)
        .filter((key) => key !== 'global')
        .sort(),
      Object.keys(defaultValues).sort(),
    )
  })

  for (const [what, values] of [
    ['an unknown key', { replicaCount: 2 }],
    ['the tag latest', { image: { repository: 'x', tag: 'latest' } }],
    ['an operator port that is open to everybody', { networkPolicy: { enabled: true, adminFrom: [] } }],
    ['a port that needs a capability', { port: 80 }],
    ['no margin for the kubelet', { shutdown: { preStop: 3, delay: 5, timeout: 30, margin: 0 } }],
    ['no limits', { resources: { requests: { cpu: '1' } } }],
    ['workers as text', { workers: '2' }],
  ] as const) {
    test(`refuses ${what}`, () => {
      assert.equal(schema.safeParse({ ...defaultValues, ...values }).success, false)
    })
  }
})

describe('the rendering of templates', () => {
  test('trims white space where a dash asks for it', () => {
    assert.equal(render('a\n  {{- "b" }}\n{{ "c" -}}\n d', {}), 'ab\ncd')
  })

  test('takes a branch by what Go holds for true', () => {
    const template = '{{ if .a }}yes{{ else }}no{{ end }}'
    for (const [value, text] of [
      [0, 'no'],
      ['', 'no'],
      [[], 'no'],
      [{}, 'no'],
      [false, 'no'],
      [1, 'yes'],
      [{ b: 0 }, 'yes'],
    ] as const)
      assert.equal(render(template, { a: value }), text)
  })

  test('moves the dot by with, and passes it to what is included', () => {
    const template =
      '{{ define "x" }}<{{ .a.b }}>{{ end }}{{ with .a }}{{ toYaml . }}{{ end }}{{ include "x" . }}'
    assert.equal(render(template, { a: { b: 1 } }), 'b: 1<1>')
  })

  test('hands a pipe on as the last parameter', () => {
    assert.equal(render('{{ .a | default "b" | quote }}', { a: '' }), '"b"')
    assert.equal(render('x{{ "a" | nindent 2 }}', {}), 'x\n  a')
  })

  test('refuses what it does not know', () => {
    for (const template of [
      '{{ .none }}',
      '{{ upper "a" }}',
      '{{ if .a }}',
      '{{ range .a }}{{ end }}',
      '{{ .a }}',
    ])
      assert.throws(() => render(template, { a: {} }), template)
  })
})
