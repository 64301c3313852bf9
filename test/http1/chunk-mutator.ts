import { ENDS, mutateBytes } from './mutator.ts'
import type { Random } from './random.ts'

const SIZES = [
  '0',
  '1',
  '3',
  'a',
  '0A',
  '00',
  '000000000000000003',
  '0000000000000003',
  'x',
  '',
  '+3',
  '0x3',
  '3 ',
  ' 3',
  'fffffffffffff',
  'ffffffffffffffff1',
]
const EXTENSIONS = [
  '',
  '',
  '',
  '',
  ';a',
  ';a=b',
  ';a="b"',
  ';a="\\""',
  ';',
  ';;',
  ' ;a',
  '; a',
  ';a =b',
  ';a= b',
  ';a="',
  ';a=',
  ';a="b"c',
  ';a\u0000',
  ';\u00fc',
  `;${'x'.repeat(300)}`,
]
const TRAILERS = [
  'X-A: 1',
  'X-B:',
  'X-C: \u00fc',
  'Content-Length: 3',
  'Transfer-Encoding: chunked',
  'X D: 1',
  ' fold',
  'X:\u0001',
  'Connection: close',
]

/** A chunked body, mutated up to a few times. */
export function mutatedChunks(random: Random): Buffer {
  let text = ''
  for (let count = random.below(4); count > 0; count--) {
    const size = 1 + random.below(random.once(10) ? 600 : 20)
    const stated = random.once(12) ? random.pick(SIZES) : size.toString(16)
    const end = random.once(60) ? random.pick(ENDS) : '\r\n'
    text += `${stated}${random.pick(EXTENSIONS.slice(0, random.once(4) ? EXTENSIONS.length : 6))}\r\n${'d'.repeat(size)}${end}`
  }
  text += random.once(20) ? random.pick(SIZES) : '0'
  text += `${random.once(10) ? random.pick(EXTENSIONS) : ''}\r\n`
  for (let count = random.once(3) ? random.below(4) : 0; count > 0; count--)
    text += `${random.pick(TRAILERS)}\r\n`
  let bytes: Buffer = Buffer.from(`${text}\r\n`, 'latin1')
  if (random.once(2)) bytes = mutateBytes(random, bytes, 'request')
  return bytes
}
