import { CR, FIELD_CONTENT, TOKEN } from './byte-class.ts'

const QUOTE = 0x22
const SEMICOLON = 0x3b
const EQUALS = 0x3d
const BACKSLASH = 0x5c

/** Where in the extensions of a chunk the next byte stands; NAME_START is where their first `;` leads. */
export const NAME_START = 0
const IN_NAME = 1
const VALUE_START = 2
const IN_VALUE = 3
const IN_QUOTED = 4
const IN_QUOTED_PAIR = 5
const AFTER_QUOTED = 6

/** The byte was the CR that ends well-formed extensions. */
export const EXTENSIONS_END = -1
export const EXTENSIONS_MALFORMED = -2

/**
 * One step over `*( ";" name [ "=" ( token / quoted-string ) ] )` (RFC 9112 section 7.1.1): the next state,
 * EXTENSIONS_END or EXTENSIONS_MALFORMED. Without the white space that the grammar allows around `;` and `=` but
 * no sender may make.
 */
export function stepExtension(state: number, byte: number): number {
  switch (state) {
    case NAME_START:
      return TOKEN[byte] === 1 ? IN_NAME : EXTENSIONS_MALFORMED
    case IN_NAME:
      if (TOKEN[byte] === 1) return IN_NAME
      return byte === EQUALS ? VALUE_START : afterMember(byte)
    case VALUE_START:
      if (TOKEN[byte] === 1) return IN_VALUE
      return byte === QUOTE ? IN_QUOTED : EXTENSIONS_MALFORMED
    case IN_VALUE:
      return TOKEN[byte] === 1 ? IN_VALUE : afterMember(byte)
    case IN_QUOTED:
      if (byte === QUOTE) return AFTER_QUOTED
      if (byte === BACKSLASH) return IN_QUOTED_PAIR
      return FIELD_CONTENT[byte] === 1 ? IN_QUOTED : EXTENSIONS_MALFORMED
    case IN_QUOTED_PAIR:
      return FIELD_CONTENT[byte] === 1 ? IN_QUOTED : EXTENSIONS_MALFORMED
    case AFTER_QUOTED:
      return afterMember(byte)
    default:
      return EXTENSIONS_MALFORMED
  }
}

function afterMember(byte: number): number {
  if (byte === CR) return EXTENSIONS_END
  return byte === SEMICOLON ? NAME_START : EXTENSIONS_MALFORMED
}
