import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { ROOT } from '../budgets/tree.ts'

export const MANIFESTS = join(ROOT, 'deploy', 'kubernetes')

export type Labels = Readonly<Record<string, string>>

export interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels: Labels }
}

interface Selector {
  readonly matchLabels: Labels
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

export interface Container {
  readonly image: string
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
  readonly securityContext: object
  readonly resources: Readonly<
    Record<'requests' | 'limits', { readonly cpu: string; readonly memory: string }>
  >
  readonly volumeMounts: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
    readonly subPath?: string
  }[]
}

export interface PodSpec {
  readonly automountServiceAccountToken: boolean
  readonly enableServiceLinks: boolean
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: {
    readonly runAsNonRoot: boolean
    readonly runAsUser: number
    readonly runAsGroup: number
    readonly seccompProfile: { readonly type: string }
  }
  readonly topologySpreadConstraints: readonly {
    readonly topologyKey: string
    readonly labelSelector: Selector
  }[]
  readonly initContainers?: readonly Container[]
  readonly containers: readonly [Container]
  readonly volumes: readonly {
    readonly name: string
    readonly configMap?: { readonly name: string }
    readonly secret?: { readonly secretName: string; readonly defaultMode: number }
  }[]
}

/** What the tests read of each kind. */
export interface Kinds {
  readonly ConfigMap: Manifest & { readonly data: Readonly<Record<'nyro.yaml', string>> }
  readonly Deployment: Manifest & {
    readonly spec: {
      readonly replicas?: number
      readonly selector: Selector
      readonly strategy: { readonly rollingUpdate: object }
      readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec }
    }
  }
  readonly HorizontalPodAutoscaler: Manifest & {
    readonly spec: {
      readonly minReplicas: number
      readonly maxReplicas: number
      readonly scaleTargetRef: { readonly name: string }
    }
  }
  readonly NetworkPolicy: Manifest & {
    readonly spec: {
      readonly podSelector: Selector
      readonly policyTypes: readonly string[]
      readonly ingress: readonly {
        readonly ports: readonly { readonly port: string }[]
        readonly from?: readonly Readonly<Record<string, object>>[]
      }[]
    }
  }
  readonly PodDisruptionBudget: Manifest & {
    readonly spec: { readonly maxUnavailable: number; readonly selector: Selector }
  }
  readonly Service: Manifest & {
    readonly spec: {
      readonly clusterIP?: string
      readonly selector: Labels
      readonly ports: readonly { readonly name: string; readonly targetPort: string }[]
    }
  }
  readonly ServiceAccount: Manifest & { readonly automountServiceAccountToken: boolean }
  readonly ServiceMonitor: Manifest & {
    readonly spec: {
      readonly selector: Selector
      readonly endpoints: readonly {
        readonly port: string
        readonly authorization: { readonly credentials: object }
      }[]
    }
  }
}

/** Of deploy/kubernetes, without the kustomization. */
export const manifestNames: readonly string[] = readdirSync(MANIFESTS)
  .filter((name) => name !== 'kustomization.yaml')
  .sort()

export const manifests: readonly Manifest[] = manifestNames.flatMap((name) =>
  manifestsIn(readFileSync(join(MANIFESTS, name), 'utf8')),
)

export function manifestsIn(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => {
    assert.deepEqual(document.errors, [])
    return document.toJS() as Manifest // a member that is not there fails where a test reads it
  })
}

/** The one of that kind and name; another number of them fails. */
export function only<Kind extends keyof Kinds>(
  kind: Kind,
  name = 'nyro-gateway',
  all: readonly Manifest[] = manifests,
): Kinds[Kind] {
  const found = all.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name)
  assert.equal(found.length, 1, `${kind} ${name}`)
  return found[0] as Kinds[Kind] // of that kind by its own word
}

/** The variables that a container's manifest gives it, `secret` in the place of what it takes from a Secret. */
export function variablesOf(container: Container, secret: string): Readonly<Record<string, string>> {
  return Object.fromEntries(container.env.map(({ name, value }) => [name, value ?? secret]))
}
