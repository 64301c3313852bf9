import { renderChart } from './chart.ts'

/** Made by Helm only: whoever applies files has no release, and no notes to read. */
const MANAGED_BY = /^ *app\.kubernetes\.io\/managed-by: Helm\n/gm

/** By file name, the plain manifests of deploy/kubernetes: the chart with its defaults. */
export function plainManifests(): ReadonlyMap<string, string> {
  const rendered = renderChart({ serviceMonitor: { enabled: true } })
  return new Map(
    [...rendered]
      .filter(([name]) => name.endsWith('.yaml'))
      .map(([name, text]) => [name, `${HEADER}\n${text.replaceAll(MANAGED_BY, '').trim()}\n`]),
  )
}

const HEADER =
  '# Made from deploy/helm/nyro-gateway by test/deploy/write-manifests.ts: change the chart, then run that.'
