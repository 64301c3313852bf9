import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RetryCondition } from '../../src/config/config.ts'
import type { MessageWriter } from '../../src/http1/message-writer.ts'
import { isWorthKeeping, KeptBody } from '../../src/proxy/kept-body.ts'
import { parsedRequest } from './parsed-head.ts'

/** What a kept body writes. */
function replayed(kept: KeptBody): string {
  let text = ''
  const writer: Pick<MessageWriter, 'body' | 'end'> = {
    body: (bytes, start, end) => {
      text += bytes.toString('latin1', start, end)
    },
    end: (trailers) => {
      text += `|${trailers}`
    },
  }
  kept.replay(writer)
  return text
}

function pieces(kept: KeptBody, ...texts: readonly string[]): KeptBody {
  for (const text of texts) {
    // As the wire does: one buffer for all pieces.
    const bytes = Buffer.from(`..${text}..`)
    kept.keep(bytes, 2, 2 + text.length)
    bytes.fill(0)
  }
  return kept
}

describe('a kept body', () => {
  test('is whole from its end on, and is written as it came', () => {
    const kept = pieces(new KeptBody(), 'a', 'bc', 'd'.repeat(5_000))
    assert.equal(kept.isWhole, false)
    kept.end('X-Sum: 1\r\n')
    assert.equal(kept.isWhole, true)
    for (let times = 0; times < 2; times++) {
      assert.equal(replayed(kept), `abc${'d'.repeat(5_000)}|X-Sum: 1\r\n`)
    }
    kept.release()
    assert.equal(kept.isWhole, false)
  })

  test('that turns out too large is none', () => {
    const kept = pieces(new KeptBody(), 'x'.repeat(65_536))
    pieces(kept, 'y').end('')
    assert.equal(kept.isWhole, false)
  })

  test('is none where the thread keeps too much already, until some is released', () => {
    const large = 'x'.repeat(65_536)
    const others = Array.from({ length: 256 }, () => pieces(new KeptBody(), large))
    for (const kept of others) kept.end('')
    assert.ok(others.every(({ isWhole }) => isWhole))
    const late = pieces(new KeptBody(), large)
    late.end('')
    assert.equal(late.isWhole, false)
    for (const kept of others) kept.release()
    for (const kept of others) kept.release()
    const next = pieces(new KeptBody(), large)
    next.end('')
    assert.equal(next.isWhole, true)
    next.release()
  })

  test('is worth its memory only where it may be sent again', () => {
    const put = (length: number) => parsedRequest('PUT / HTTP/1.1', 'Host: a', `Content-Length: ${length}`)
    const post = parsedRequest('POST / HTTP/1.1', 'Host: a', 'Content-Length: 1')
    const retry = (...on: readonly RetryCondition[]) => ({ attempts: 1, budget: 1, on })
    assert.equal(isWorthKeeping(put(65_536), retry('reset')), true)
    assert.equal(isWorthKeeping(put(65_537), retry('reset')), false)
    assert.equal(isWorthKeeping(put(1), retry('connect')), false)
    assert.equal(isWorthKeeping(post, retry('reset', 503)), false)
  })
})
