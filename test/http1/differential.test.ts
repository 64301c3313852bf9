// Request smuggling lives off two parsers that read the same bytes differently. Node's llhttp stands for whatever is
// behind or before the gateway: it must never find another message, another body or another field in what we accept.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('differential.ts', import.meta.url))

/** A million: DIFFERENTIAL_COUNT=1000000. */
const count = process.env['DIFFERENTIAL_COUNT'] ?? '20000'
const seed = process.env['DIFFERENTIAL_SEED'] ?? '1'

test(`refuses what llhttp refuses and reads alike what both read, in ${count} mutated heads of seed ${seed}`, (t) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', '--expose-internals', SCRIPT, '--count', count, '--seed', seed],
    { encoding: 'utf8' },
  )
  assert.equal(status, 0, stderr.slice(0, 4000))
  t.diagnostic(stdout.trim())
  const { heads, bothRead, bothRefused, differences } = JSON.parse(stdout) as Record<string, unknown>
  assert.equal(heads, Number(count))
  assert.equal(differences, 0)
  // A corpus that is all noise, or all well-formed, would compare nothing.
  assert.ok(Number(bothRead) > Number(count) / 4, stdout)
  assert.ok(Number(bothRefused) > Number(count) / 4, stdout)
})
