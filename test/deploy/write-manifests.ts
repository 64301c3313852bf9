/** `node test/deploy/write-manifests.ts`: makes the plain manifests of deploy/kubernetes from the chart. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../budgets/tree.ts'
import { plainManifests } from './plain-manifests.ts'

for (const [name, text] of plainManifests()) writeFileSync(join(ROOT, 'deploy', 'kubernetes', name), text)
