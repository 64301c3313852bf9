import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { AdminServer } from '../../src/control/admin/admin-server.ts'
import { ROOT } from '../budgets/tree.ts'
import {
  type Labels,
  MANIFESTS,
  manifestNames,
  manifests,
  manifestsIn,
  only,
  variablesOf,
} from './manifest.ts'
import { plainManifests } from './plain-manifests.ts'
import { loadInContainer, STAND_IN_SECRET, unknownVariables } from './product-environment.ts'

/** The watchdog ends the process one second past its timeout; the kubelet is slower on a busy node. */
const LEAST_MARGIN_S = 5
/** Of two busy threads with 10,000 open connections; docs/operations.md has the calculation. */
const LEAST_MEMORY_MIB = 390

const pod = only('Deployment').spec.template
const [container] = pod.spec.containers
const env = variablesOf(container, STAND_IN_SECRET)

function portNumber(name: string): number | undefined {
  return container.ports.find((port) => port.name === name)?.containerPort
}

describe('the plain manifests of deploy/kubernetes', () => {
  test('are what the chart makes with its defaults', () => {
    const expected = plainManifests()
    assert.deepEqual([...manifestNames], [...expected.keys()].sort())
    for (const [name, text] of expected)
      assert.equal(
        readFileSync(join(MANIFESTS, name), 'utf8'),
        text,
        `${name}: run node test/deploy/write-manifests.ts`,
      )
  })

  test('are all applied by the kustomization, but for the one that needs an operator', () => {
    const { resources } = parse(readFileSync(join(MANIFESTS, 'kustomization.yaml'), 'utf8'))
    assert.deepEqual([...resources, 'service-monitor.yaml'].sort(), [...manifestNames])
  })

  test('are accepted by kustomize', { skip: !hasKubectl() && 'kubectl is not installed' }, () => {
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', MANIFESTS], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.equal(manifestsIn(stdout).length, manifests.filter(({ kind }) => kind !== 'ServiceMonitor').length)
  })

  test('name only variables that the product has', () => {
    assert.deepEqual(
      manifestNames.flatMap((name) => unknownVariables(readFileSync(join(MANIFESTS, name), 'utf8'))),
      [],
    )
  })

  test('select pods by labels that the pods have', () => {
    const selectors: readonly Labels[] = [
      only('Deployment').spec.selector.matchLabels,
      only('Service').spec.selector,
      only('Service', 'nyro-gateway-admin').spec.selector,
      only('PodDisruptionBudget').spec.selector.matchLabels,
      only('NetworkPolicy').spec.podSelector.matchLabels,
      ...pod.spec.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels),
    ]
    for (const selector of selectors) {
      assert.ok(Object.keys(selector).length > 0)
      assert.deepEqual({ ...pod.metadata.labels, ...selector }, pod.metadata.labels)
    }
  })
})

describe('the pod', () => {
  test('runs as the image’s user, who is not root', () => {
    const { runAsNonRoot, runAsUser, runAsGroup, seccompProfile } = pod.spec.securityContext
    assert.equal(runAsNonRoot, true)
    assert.match(
      readFileSync(join(ROOT, 'Dockerfile'), 'utf8'),
      new RegExp(`^USER ${runAsUser}:${runAsGroup}$`, 'm'),
    )
    assert.equal(seccompProfile.type, 'RuntimeDefault')
  })

  test('can write nowhere, gain no privilege and reach no API server', () => {
    for (const { securityContext, volumeMounts } of [
      ...pod.spec.containers,
      ...(pod.spec.initContainers ?? []),
    ]) {
      assert.deepEqual(securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ['ALL'] },
      })
      for (const { name, readOnly } of volumeMounts) assert.equal(readOnly, true, name)
    }
    assert.equal(pod.spec.automountServiceAccountToken, false)
    assert.equal(only('ServiceAccount').automountServiceAccountToken, false)
    for (const shared of ['hostNetwork', 'hostPID', 'hostIPC'] as const)
      assert.equal(pod.spec[shared], undefined)
  })

  test('has as many threads as cores, and the memory that was measured for them', () => {
    const { requests, limits } = container.resources
    assert.equal(limits.cpu, env['GATEWAY_WORKERS'])
    assert.ok(requests.cpu !== undefined && requests.memory !== undefined)
    assert.ok(Number(/^(\d+)Mi$/.exec(limits.memory)?.[1]) >= LEAST_MEMORY_MIB, limits.memory)
  })

  test('has as long to end as its drain may take', () => {
    const preStop = container.lifecycle.preStop.sleep.seconds
    const needed = preStop + Number(env['GATEWAY_SHUTDOWN_DELAY']) + Number(env['GATEWAY_SHUTDOWN_TIMEOUT'])
    assert.ok(pod.spec.terminationGracePeriodSeconds >= needed + LEAST_MARGIN_S)
    // Contract section 10: from two seconds on, clients that honour Connection: close lose no request.
    assert.ok(Number(env['GATEWAY_SHUTDOWN_DELAY']) >= 2)
  })

  test('takes its config from a folder, so that a change arrives', () => {
    const mount = container.volumeMounts.find(({ name }) => name === 'config') ?? assert.fail()
    assert.equal(mount.subPath, undefined)
    assert.equal(env['GATEWAY_CONFIG'], `${mount.mountPath}/nyro.yaml`)
    const volume = pod.spec.volumes.find(({ name }) => name === 'config')
    assert.equal(volume?.configMap?.name, only('ConfigMap').metadata.name)
  })

  test('starts with the config it is given, on the ports that are published', async () => {
    const secrets = container.volumeMounts.find(({ name }) => name === 'secrets')?.mountPath
    const config = await loadInContainer(
      env,
      new Map([
        [env['GATEWAY_CONFIG'] ?? '', only('ConfigMap').data['nyro.yaml']],
        [`${secrets}/jwt-secret`, STAND_IN_SECRET],
      ]),
    )
    assert.equal(config.listen.port, portNumber('http'))
    assert.equal(config.admin.port, portNumber('admin'))
    assert.equal(config.admin.host, '0.0.0.0')
    assert.notEqual(config.admin.token, null)
    assert.equal(config.workers, Number(env['GATEWAY_WORKERS']))
    assert.deepEqual(
      config.routes.map(({ name }) => name),
      ['ingest', 'query'],
    )
  })

  test('mounts only keys of one Secret that it does not bring', () => {
    const secret = pod.spec.volumes.find(({ name }) => name === 'secrets')?.secret
    assert.equal(secret?.secretName, 'nyro-gateway')
    // For the group only, and written in decimal because YAML versions disagree on octal.
    assert.equal(secret?.defaultMode, 0o440)
    assert.deepEqual(
      manifests.filter(({ kind }) => kind === 'Secret'),
      [],
    )
  })

  describe('is asked', () => {
    let admin: AdminServer

    before(async () => {
      admin = await AdminServer.listen({
        admin: { host: '127.0.0.1', port: 0, token: STAND_IN_SECRET },
        product: { name: 'test', version: '0', node: '0' },
        status: () => ({ status: 'ready', threads: 1 }),
        resources: new Map(),
      })
    })

    after(() => admin.close())

    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
      test(`by its ${probe} what the operator listener answers without a token`, async () => {
        const { path, port } = container[probe].httpGet
        assert.equal(port, 'admin')
        assert.equal((await fetch(`http://127.0.0.1:${admin.port}${path}`)).status, 200)
      })
    }
  })
})

describe('what stands around the pods', () => {
  test('sends the public to the public port alone', () => {
    const service = only('Service').spec
    assert.deepEqual(
      service.ports.map(({ targetPort }) => targetPort),
      ['http'],
    )
    assert.equal(only('Service', 'nyro-gateway-admin').spec.clusterIP, 'None')
  })

  test('lets the operator port be reached from named peers only', () => {
    const policy = only('NetworkPolicy').spec
    assert.deepEqual(policy.policyTypes, ['Ingress'])
    for (const { ports, from } of policy.ingress) {
      // A rule without ports is for all of them; a rule without peers, or with an empty one, is for everybody.
      assert.ok(ports.length > 0)
      const opened = ports.map(({ port }) => port)
      if (opened.every((port) => port === 'http')) continue
      assert.ok(from !== undefined && from.length > 0)
      for (const peer of from)
        assert.ok(Object.values(peer).some((selector) => Object.keys(selector).length > 0))
    }
    assert.ok(policy.ingress.some(({ ports }) => ports[0]?.port === 'admin'))
  })

  test('keeps pods apart and takes them one by one', () => {
    assert.equal(only('PodDisruptionBudget').spec.maxUnavailable, 1)
    const keys = pod.spec.topologySpreadConstraints.map(({ topologyKey }) => topologyKey)
    assert.deepEqual(keys, ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'])
    assert.deepEqual(only('Deployment').spec.strategy.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 })
  })

  test('leaves the number of pods to the autoscaler', () => {
    const { minReplicas, maxReplicas, scaleTargetRef } = only('HorizontalPodAutoscaler').spec
    assert.equal(only('Deployment').spec.replicas, undefined)
    assert.equal(scaleTargetRef.name, only('Deployment').metadata.name)
    assert.ok(minReplicas >= 2 && maxReplicas > minReplicas)
  })

  test('has Prometheus send the admin token to the operator port', () => {
    const { endpoints, selector } = only('ServiceMonitor').spec
    const admin = only('Service', 'nyro-gateway-admin')
    assert.deepEqual({ ...admin.metadata.labels, ...selector.matchLabels }, admin.metadata.labels)
    assert.deepEqual(endpoints[0]?.authorization.credentials, { name: 'nyro-gateway', key: 'admin-token' })
    assert.ok(admin.spec.ports.some(({ name }) => name === endpoints[0]?.port))
  })
})

function hasKubectl(): boolean {
  return spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0
}
