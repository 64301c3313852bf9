import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { duration, orOff, quota, rate, share, size } from '../../../src/config/file/unit-format.ts'
import type { Format } from '../../../src/config/format.ts'

/** What each text means; undefined: it is refused. */
function read<T>(format: Format<T>, ...texts: readonly string[]): readonly (T | undefined)[] {
  return texts.map((text) => {
    const parsed = format.parse(text)
    return parsed.fits ? parsed.value : undefined
  })
}

function refused(format: Format<unknown>, ...texts: readonly string[]): void {
  for (const text of texts) assert.equal(format.parse(text).fits, false, text)
}

describe('units', () => {
  test('durations are milliseconds, from the least to a day', () => {
    assert.deepEqual(
      read(duration(1), '1ms', '250ms', '1.5s', '5m', '24h'),
      [1, 250, 1_500, 300_000, 86_400_000],
    )
    refused(
      duration(1),
      '0s',
      '5',
      '5 s',
      '-1s',
      '1d',
      '1S',
      '24.1h',
      '1e3s',
      's',
      '',
      '1s1s',
      '99999999999999999999s',
    )
  })

  test('sizes are bytes, by powers of 1024 alone', () => {
    assert.deepEqual(
      read(size, '0B', '64KiB', '1.5KiB', '10 MiB', '1GiB'),
      [0, 65_536, 1_536, 10_485_760, 1_073_741_824],
    )
    refused(size, '10', '10KB', '10MB', '10kib', '-1B', '10Mi', '1e3B')
  })

  test('rates are an amount and a period', () => {
    assert.deepEqual(read(rate, '10/s', '600/m', '10000/day'), [
      { amount: 10, periodMs: 1_000 },
      { amount: 600, periodMs: 60_000 },
      { amount: 10_000, periodMs: 86_400_000 },
    ])
    refused(rate, '0/s', '10', '10/', '/s', '1.5/s', '10/week', '10/constructor', '-1/s')
  })

  test('shares are of one', () => {
    assert.deepEqual(read(share, '0%', '20%', '12.5%', '100%'), [0, 0.2, 0.125, 1])
    refused(share, '0.2', '20', '101%', '-1%', '%')
  })

  test('off is none, where it is taken', () => {
    assert.deepEqual(read(orOff(size), 'off', '1B'), [null, 1])
    refused(orOff(size), 'OFF', 'none', '')
    refused(size, 'off')
  })

  test('what no timer waits for may be longer than a day', () => {
    assert.deepEqual(read(duration(0, 480 * 3_600_000), '24.1h', '480h', '481h'), [
      86_760_000,
      1_728_000_000,
      undefined,
    ])
  })

  test('quotas are of a window of the calendar', () => {
    assert.deepEqual(read(quota, '5/h', '500/hour', '10000/day', '1073741823/month'), [
      { limit: 5, window: 'hour' },
      { limit: 500, window: 'hour' },
      { limit: 10_000, window: 'day' },
      { limit: 1_073_741_823, window: 'month' },
    ])
    refused(
      quota,
      '10/s',
      '10/minute',
      '0/day',
      '1073741824/day',
      '10/d',
      '10',
      '-1/day',
      '1.5/day',
      '10/constructor',
    )
  })
})
