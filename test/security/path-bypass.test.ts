import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertProblem, assertShape } from '../support/problem.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'

// The attack: a path that the gateway matches to one route and the upstream, after decoding or normalising it, to
// another resource: /api/v1/ingest/..%2f..%2fadmin. What was authorised is what is sent, or nothing is.

let stage: Stage

before(async () => {
  stage = await openStage()
})
after(() => stage[Symbol.asyncDispose]())

function sawNothing(): void {
  for (const origin of [stage.ingest, stage.query, stage.auth]) assert.deepEqual(origin.seen, [])
}

describe('a path', () => {
  test('with a dot segment in any spelling that is decoded once is 400 path_unsafe', async () => {
    const segments = [
      '.',
      '..',
      '%2e',
      '%2E',
      '%2e%2e',
      '%2E%2e',
      '.%2e',
      '%2e.',
      '..;',
      '..;a=b',
      '.;',
      '%2e%2e;',
      '%2e;x',
      '..%3b',
      '%2e%2e%3Bx',
    ]
    const paths = segments.flatMap((segment) => [
      `/api/v1/ingest/${segment}/x`,
      `/api/v1/ingest/a/${segment}`,
      `/${segment}/api/v1/ingest/x`,
      `/api/auth/${segment}/x`,
    ])
    const glued = [
      '/api/v1/ingest/..%2fx',
      '/api/v1/ingest/..%2Fquery/x',
      '/api/v1/ingest/%2f..%2fx',
      '/api/v1/ingest/a%2f..',
      '/api/v1/ingest/..%5cx',
      '/api/v1/ingest/a%5c..%5cx',
      '/api/v1/ingest/%2e%2e%2f%2e%2e%2fadmin',
      '/api/v1/ingest/..',
    ]
    for (const path of [...paths, ...glued]) {
      assertProblem(await stage.ask('GET', path, [ACME]), 400, 'path_unsafe')
      assertProblem(await stage.ask('GET', `${path}?x=1`, [ACME]), 400, 'path_unsafe')
    }
    sawNothing()
  })

  test('with a NUL, CR, LF or backslash, decoded once, is 400 path_unsafe', async () => {
    for (const part of [
      '%00',
      '%0d',
      '%0a',
      '%0D%0A',
      '%0d%0aX-Company-ID:evil',
      'a%00.json',
      '\\',
      '%5c',
      '%5C',
      '\\..\\',
      'a\\b',
    ])
      for (const path of [`/api/v1/ingest/${part}`, `/api/v1/ingest/a${part}b`, `/api/auth/${part}`])
        assertProblem(await stage.ask('GET', path, [ACME]), 400, 'path_unsafe')
    sawNothing()
  })

  test('with anything outside visible ASCII, or a fragment, is 400', async () => {
    for (const part of ['\u00e9', '\u007f', '\u0001', '\u0000', '\u00a0', '#frag', 'a#', '\t', ' ']) {
      const got = await stage.ask('GET', `/api/v1/ingest/x${part}`, [ACME])
      assert.equal(got.status, 400, JSON.stringify(part))
      assertShape(got)
    }
    for (const query of ['\u00e9', '#a', '\u0000', ' b'])
      assert.equal((await stage.ask('GET', `/api/v1/ingest/x?${query}`, [ACME])).status, 400)
    sawNothing()
  })

  test('that only looks like a route’s prefix is 404', async () => {
    const paths = [
      '/API/v1/ingest/x',
      '/api/V1/ingest/x',
      '/api/v1/Ingest/x',
      '/api/v1/ingestx',
      '/api/v1/ingest%2fx',
      '/api/v1%2fingest/x',
      '/%61pi/v1/ingest/x',
      '/api/v1/%69ngest/x',
      '//api/v1/ingest/x',
      '/api//v1/ingest/x',
      '/api/v1//ingest/x',
      '/api/v1/ingest;x/y',
      '/api/v1/ingest;/x',
      '/api/v1;/ingest/x',
      '/x/api/v1/ingest/x',
      '/api/v1/ingest%00/x',
      '/api/v1/ingest%3fx',
    ]
    for (const path of paths)
      assert.ok([400, 404].includes((await stage.ask('GET', path, [ACME])).status), path)
    sawNothing()
  })

  test('of the route without identity never reaches one with it', async () => {
    for (const path of [
      '/api/auth/../v1/ingest/x',
      '/api/auth/..%2fv1/ingest/x',
      '/api/auth/%2e%2e/v1/query/x',
      '/api/auth/..;/v1/query/x',
    ])
      assertProblem(await stage.ask('GET', path), 400, 'path_unsafe')
    sawNothing()
  })

  test('that is merely odd is sent as it was authorised', async () => {
    const odd = [
      '/api/v1/ingest//',
      '/api/v1/ingest///x//',
      '/api/v1/ingest/...',
      '/api/v1/ingest/.hidden',
      '/api/v1/ingest/a..b',
      '/api/v1/ingest/..a',
      '/api/v1/ingest/a..',
      '/api/v1/ingest/%252e%252e/x',
      '/api/v1/ingest/%25%32%65',
      '/api/v1/ingest/x%2Fy',
      '/api/v1/ingest/%',
      '/api/v1/ingest/%2',
      '/api/v1/ingest/%zz',
      '/api/v1/ingest/x;a=b',
      '/api/v1/ingest/;',
      '/api/v1/ingest/:80',
      '/api/v1/ingest/@x',
      '/api/v1/ingest/http://x/',
      '/api/v1/ingest/x?../..',
      '/api/v1/ingest/?%00',
      '/api/v1/ingest/%c0%ae%c0%ae/x',
      '/api/v1/ingest/%uff0e%uff0e/x',
    ]
    for (const path of odd) {
      const got = await stage.ask('GET', path, [ACME])
      assert.equal(got.status, 200, `${path}: ${got.text}`)
      assert.equal(stage.ingest.last.target, path)
      assert.deepEqual(stage.ingest.last.all('x-company-id'), ['acme'])
    }
  })
})
