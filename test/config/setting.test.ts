import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import { SETTINGS, type SettingName } from '../../src/config/setting.ts'
import { accepted, refused } from './load-with.ts'

interface Table {
  /** Text as set, value as parsed. */
  readonly good?: readonly (readonly [string, unknown])[]
  /** Text as set, what the message must say beyond what is accepted. */
  readonly bad?: readonly (readonly [string, RegExp])[]
}

const any = /./

const tables: Readonly<Partial<Record<SettingName, Table>>> = {
  PROJECT_NAME: {
    good: [[' Ñandú "1" <b> ', 'Ñandú "1" <b>']],
    bad: [['a\tb', /control character/]],
  },
  API_V1_STR: {
    good: [
      ['/api', '/api'],
      ['/a/b-c_d.e~f', '/a/b-c_d.e~f'],
      ['/..a', '/..a'],
    ],
    bad: [
      ['api/v1', /begin with a slash/],
      ['/', /ends in a slash/],
      ['/api/', /ends in a slash/],
      ['/a//b', /letters, digits/],
      ['/a/../b', /dot segment/],
      ['/a/.', /dot segment/],
      ['/a*', any],
      ['/:id', any],
      ['/a%20b', any],
      ['/a b', any],
      ['/a?b', any],
      ['/a;b', any],
      ['/ä', any],
    ],
  },
  INGEST_SERVICE_URL: {
    good: [
      ['http://h', 'http://h'],
      ['HTTP://Host:80/', 'http://host'],
      ['https://h:443', 'https://h'],
      ['https://h:8443/base/', 'https://h:8443/base'],
      ['http://h/Base/%20//', 'http://h/Base/%20'],
      ['http://[::1]:8000/x', 'http://[::1]:8000/x'],
      ['http://10.0.0.1:65535', 'http://10.0.0.1:65535'],
      ['http://my_service.ns.svc', 'http://my_service.ns.svc'],
      ['http://bücher.example', 'http://xn--bcher-kva.example'],
    ],
    bad: [
      ['h:8000', /neither http:\/\/ nor https:\/\//],
      ['ftp://h', /neither/],
      ['//h', /neither/],
      ['http:/h', /neither/],
      ['unix:/run/x.sock', /neither/],
      ['http://', /host or port/],
      ['http:///x', /host or port/],
      ['http://h:0', /Port 0/],
      ['http://h:65536', /host or port/],
      ['http://h:x', /host or port/],
      ['http://h:-1', /host or port/],
      ['http://h?x', /query or fragment/],
      ['http://h/#', /query or fragment/],
      ['http://h/?', /query or fragment/],
      ['http://u:p@h', /user name or password/],
      ['http://@h', /user name or password/],
      ['http://h/a b', /White space/],
      ['http://h\\x', /backslash/],
      ['http://h/a/../b', /rewritten/],
      ['http://h/%2e%2E/b', /rewritten/],
      ['http://h/ä', /rewritten/],
      ['http://*', /not a name or an address/],
      ['http://h,k', /not a name or an address/],
    ],
  },
  JWT_ALGORITHM: {
    good: [['HS256', 'HS256']],
    bad: [
      ['none', /one of HS256, HS384, HS512, RS256, .*EdDSA/],
      ['None', any],
      ['hs256', /Letter case counts: write HS256\./],
      ['eddsa', /write EdDSA/],
      ['HS256,RS256', any],
      ['ES256K', any],
      ['constructor', any],
    ],
  },
  JWT_ALLOW_WEAK_SECRET: {
    good: [
      ['true', true],
      ['TRUE', true],
      ['1', true],
      ['yes', true],
      ['on', true],
      ['false', false],
      ['0', false],
      ['no', false],
      ['off', false],
    ],
    bad: [
      ['maybe', /true or false/],
      ['2', any],
    ],
  },
  HTTP_CLIENT_TIMEOUT: {
    good: [
      ['60', 60_000],
      ['0.001', 1],
      ['2.5', 2500],
      ['60.0', 60_000],
      ['86400', 86_400_000],
    ],
    bad: [
      ['0', /0\.001 to 86400/],
      ['0.0001', any],
      ['-1', any],
      ['86401', any],
      ['60s', /without a unit/],
      ['500 ms', /without a unit/],
      ['1e3', any],
      ['0x10', any],
      ['Infinity', any],
      ['NaN', any],
      ['1,5', any],
      ['.5', any],
      ['1.', any],
      ['٣', any],
    ],
  },
  HTTP_CLIENT_CONNECT_TIMEOUT: { good: [['1', 1000]], bad: [['0', any]] },
  HTTP_CLIENT_MAX_CONNECTIONS: {
    good: [
      ['1', 1],
      ['1000000', 1_000_000],
    ],
    bad: [
      ['0', /whole number from 1 to 1000000/],
      ['1000001', any],
      ['1.5', any],
      ['+1', any],
      ['99999999999999999999', any],
    ],
  },
  HTTP_CLIENT_MAX_KEEPALIVE_CONNECTIONS: { good: [['0', 0]], bad: [['-1', any]] },
  ALLOWED_ORIGINS: {
    good: [
      ['*', '*'],
      ['none', []],
      ['https://a.example', ['https://a.example']],
      ['https://a.example, http://b.example:3000', ['https://a.example', 'http://b.example:3000']],
      ['https://A.Example:443', ['https://a.example']],
      ['http://a:80,http://a', ['http://a']],
      ['http://[::1]:5173', ['http://[::1]:5173']],
      ['https://bücher.example', ['https://xn--bcher-kva.example']],
      ['capacitor://localhost', ['capacitor://localhost']],
    ],
    bad: [
      ['https://a.example/', /Entry 1: write it without the trailing slash/],
      ['https://a.example/x', /no path/],
      ['https://a.example?x', /no path, query/],
      ['https://u@a.example', /no path, query, fragment or user/],
      ['a.example', /scheme:\/\/host/],
      ['https://*.a.example', /patterns are not taken/],
      ['*,https://a.example', /Entry 1: `\*` stands alone/],
      ['https://a.example,*', /Entry 2: `\*` stands alone/],
      ['https://a.example,none', /Entry 2: `none` stands alone/],
      ['null', /`null` belongs to everybody/],
      ['https://a.example,', /Entry 2: there is nothing/],
      ['https://', /host or port/],
      ['https://a:99999', /host or port/],
      ['https://a b', /host or port/],
    ],
  },
  HOST: {
    good: [
      ['127.0.0.1', '127.0.0.1'],
      ['::', '::'],
      ['::1', '::1'],
      ['Gateway.Internal', 'gateway.internal'],
    ],
    bad: [
      ['[::]', /without brackets/],
      ['127.0.0', /not a complete IPv4/],
      ['256.0.0.1', /not a complete IPv4/],
      ['h:80', /port has a variable of its own/],
      ['*', any],
      ['a b', any],
      ['http://h', any],
      ['-a', any],
      ['a..b', any],
    ],
  },
  PORT: {
    good: [
      ['0', 0],
      ['65535', 65_535],
      ['08080', 8080],
    ],
    bad: [
      ['65536', /0 to 65535/],
      ['-1', any],
      ['http', any],
      ['80.0', any],
    ],
  },
  ADMIN_TOKEN: {
    good: [['t0k.en~+/=', 't0k.en~+/=']],
    bad: [
      ['two words', /White space/],
      ['line\n', /line breaks/],
      ['tökén', /other characters/],
    ],
  },
  WORKERS: {
    good: [['1', 1]],
    bad: [
      ['0', /number of usable cores/],
      ['1025', any],
      ['auto', any],
    ],
  },
  TRUSTED_PROXIES: {
    good: [
      ['10.0.0.1', ['10.0.0.1']],
      ['10.0.0.0/8,fd00::/8 , ::1/128', ['10.0.0.0/8', 'fd00::/8', '::1/128']],
      ['192.168.1.7/24', ['192.168.1.7/24']],
    ],
    bad: [
      ['10.0.0.0/33', /Entry 1 is not/],
      ['::1/129', any],
      ['10.0.0.0/', any],
      ['10.0.0.0/8/8', any],
      ['10.0.0.0/+8', any],
      ['10.0.0/8', any],
      ['10.0.0.1,proxy', /Entry 2 is not/],
      ['10.0.0.1,', /Entry 2 is not/],
      ['10.0.0.0 - 10.0.0.9', any],
      ['fe80::1%eth0', any],
    ],
  },
  SHUTDOWN_DELAY: {
    good: [
      ['0', 0],
      ['2.5', 2500],
    ],
    bad: [
      ['-1', any],
      ['5s', /without a unit/],
    ],
  },
  SHUTDOWN_TIMEOUT: { good: [['0', 0]], bad: [['never', any]] },
}

const pickers: Readonly<Partial<Record<SettingName, (config: Config) => unknown>>> = {
  PROJECT_NAME: (config) => config.name,
  API_V1_STR: (config) => config.routes[0]?.match.path.replace('/ingest/*', ''),
  INGEST_SERVICE_URL: (config) => config.upstreams[0]?.endpoints[0]?.url,
  JWT_ALGORITHM: (config) => config.identity.issuers[0]?.algorithms[0],
  HTTP_CLIENT_TIMEOUT: (config) => config.upstreams[0]?.timeouts.headMs,
  HTTP_CLIENT_CONNECT_TIMEOUT: (config) => config.upstreams[1]?.timeouts.connectMs,
  HTTP_CLIENT_MAX_CONNECTIONS: (config) => config.upstreams[0]?.connections.max,
  HTTP_CLIENT_MAX_KEEPALIVE_CONNECTIONS: (config) => config.upstreams[1]?.connections.idle,
  ALLOWED_ORIGINS: (config) => config.cors.origins,
  HOST: (config) => config.listen.host,
  PORT: (config) => config.listen.port,
  ADMIN_TOKEN: (config) => config.admin.token,
  WORKERS: (config) => config.workers,
  TRUSTED_PROXIES: (config) => config.trustedProxies,
  SHUTDOWN_DELAY: (config) => config.shutdown.delayMs,
  SHUTDOWN_TIMEOUT: (config) => config.shutdown.timeoutMs,
}

for (const [name, { good = [], bad = [] }] of Object.entries(tables)) {
  describe(name, () => {
    for (const [text, value] of good) {
      test(`takes ${JSON.stringify(text)}`, async () => {
        const { config } = await accepted({ [`GATEWAY_${name}`]: text })
        const pick = pickers[name as SettingName]
        if (pick !== undefined) assert.deepEqual(pick(config), value)
      })
    }
    for (const [text, says] of bad) {
      test(`refuses ${JSON.stringify(text)}`, async () => {
        const { problems, exitCode } = await refused({ [`GATEWAY_${name}`]: text })
        assert.equal(exitCode, 2)
        assert.equal(problems.length, 1)
        const [problem = ''] = problems
        const definition = SETTINGS[name as SettingName]
        assert(problem.startsWith(`GATEWAY_${name} is `), problem)
        assert(problem.includes(`; expected ${definition.format.accepts}. `), problem)
        assert.match(problem, says)
      })
    }
  })
}

describe('QUERY_SERVICE_URL and AUTH_SERVICE_URL', () => {
  for (const name of ['GATEWAY_QUERY_SERVICE_URL', 'GATEWAY_AUTH_SERVICE_URL']) {
    test(`${name} is judged like that of ingest`, async () => {
      const { problems } = await refused({ [name]: 'gopher://h' })
      assert.equal(problems.length, 1)
      assert(problems[0]?.startsWith(`${name} is "gopher://h"; expected an http:// or https:// URL`))
    })
  }
})

describe('LOG_LEVEL', () => {
  for (const text of ['DEBUG', 'Info', 'warning', 'ERROR', 'critical']) {
    test(`takes ${text}`, async () => {
      const { config, warnings } = await accepted({ GATEWAY_LOG_LEVEL: text })
      assert.equal(config.log.level, text.toLowerCase())
      assert.deepEqual(warnings, [])
    })
  }

  for (const [text, nearest] of [
    ['WARN', 'WARNING'],
    ['trace', 'ERROR'],
    ['constructor', null],
  ] as const) {
    test(`is INFO, with a warning, when it says ${text}`, async () => {
      const { config, warnings } = await accepted({ GATEWAY_LOG_LEVEL: text })
      assert.equal(config.log.level, 'info')
      assert.equal(warnings.length, 1)
      assert(warnings[0]?.startsWith(`GATEWAY_LOG_LEVEL is "${text}". INFO is used; the nearest level is `))
      if (nearest !== null) assert(warnings[0]?.endsWith(` ${nearest}.`))
    })
  }
})

describe('TRUSTED_PROXIES', () => {
  for (const block of ['0.0.0.0/0', '::/0']) {
    test(`${block} is taken, with a warning that it believes anyone`, async () => {
      const { config, warnings } = await accepted({ GATEWAY_TRUSTED_PROXIES: block })
      assert.deepEqual(config.trustedProxies, [block])
      assert.equal(warnings.length, 1)
      assert.match(warnings[0] ?? '', /believes the forwarding fields of anyone/)
    })
  }
})

describe('the table of settings', () => {
  test('has only defaults that fit their own format', () => {
    for (const [name, { format, fallback }] of Object.entries(SETTINGS)) {
      if (fallback !== null) assert(format.parse(fallback).fits, name)
    }
  })

  test('says what stands in for every missing default', () => {
    for (const [name, definition] of Object.entries(SETTINGS)) {
      assert.equal(definition.fallback === null, definition.unset !== undefined, name)
    }
  })
})
