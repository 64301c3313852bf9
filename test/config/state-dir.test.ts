import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stateDir } from '../../src/config/state-dir.ts'

function told(env: Readonly<Record<string, string>>, dotenv: string | null = null): string | null {
  const readFile = (path: string): Uint8Array => {
    if (dotenv === null || path !== '/srv/gateway/.env') throw new Error('ENOENT')
    return Buffer.from(dotenv)
  }
  return stateDir({ env, cwd: '/srv/gateway', readFile })
}

test('what outlasts the process is kept where GATEWAY_STATE_DIR says, else where the system keeps such things', () => {
  assert.equal(told({ GATEWAY_STATE_DIR: '/var/lib/nyro' }), '/var/lib/nyro')
  assert.equal(told({ GATEWAY_STATE_DIR: 'state', XDG_STATE_HOME: '/x' }), '/srv/gateway/state')
  assert.equal(told({}, 'GATEWAY_STATE_DIR=/var/lib/nyro\n'), '/var/lib/nyro')
  assert.equal(told({ XDG_STATE_HOME: '/var/state' }), '/var/state/nyro-gateway')
})

test('nothing is kept where nobody says where', () => {
  assert.equal(told({}), null)
  assert.equal(told({ GATEWAY_STATE_DIR: ' ' }), null)
  assert.equal(told({ XDG_STATE_HOME: 'relative' }), null)
})
