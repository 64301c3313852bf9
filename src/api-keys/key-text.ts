import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** What scanners for leaked secrets look for. */
const PREFIX = 'nyro_'
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 190 bits. */
const RANDOM_LENGTH = 32
/** 62^6 is above 2^32. */
const CHECKSUM_LENGTH = 6
const SHAPE = /^nyro_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/
/** Of the whole text: names a key in files and logs, and leaves 140 bits to be guessed. */
const SHOWN_LENGTH = PREFIX.length + 8
/** Bytes above are drawn again: the alphabet would not be used evenly. */
const FAIR_BYTES = 256 - (256 % ALPHABET.length)

/** A new key. `random` fills a buffer from a cryptographic source. */
export function createApiKey(random: (bytes: Buffer) => void): string {
  const body = PREFIX + randomText(random)
  return `${body}_${checksumOf(body)}`
}

/** Whether a text means to be a key: no token begins so. */
export function looksLikeApiKey(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** Whether a text is written as a key is, its checksum included: says a scanner what is none, and nobody what is one. */
export function isApiKeyText(text: string): boolean {
  if (!SHAPE.test(text)) return false
  const bodyEnd = text.length - CHECKSUM_LENGTH - 1
  return text.slice(bodyEnd + 1) === checksumOf(text.slice(0, bodyEnd))
}

/** What is kept of a key: SHA-256 in lower-case hex. Nothing slower is needed where 190 bits were drawn. */
export function apiKeyHash(text: string): string {
  return hash('sha256', text, 'hex')
}

/** The part of a key that may be shown. */
export function shownPrefix(text: string): string {
  return text.slice(0, SHOWN_LENGTH)
}

function randomText(random: (bytes: Buffer) => void): string {
  const bytes = Buffer.alloc(RANDOM_LENGTH)
  let text = ''
  while (text.length < RANDOM_LENGTH) {
    random(bytes)
    for (const byte of bytes) {
      if (byte < FAIR_BYTES && text.length < RANDOM_LENGTH) text += ALPHABET[byte % ALPHABET.length]
    }
  }
  return text
}

function checksumOf(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let index = 0; index < CHECKSUM_LENGTH; index++) {
    text = ALPHABET[rest % ALPHABET.length] + text
    rest = Math.floor(rest / ALPHABET.length)
  }
  return text
}
