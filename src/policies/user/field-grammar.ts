import { TOKEN } from '../../http1/byte-class.ts'

const MAX_NAME_LENGTH = 128
const MAX_VALUE_LENGTH = 8_192
const SPACE = 0x20
const TILDE = 0x7e

/** Whether a field may be called so (RFC 9110 section 5.1), within 128 characters. */
export function isFieldName(name: string): boolean {
  if (name.length > MAX_NAME_LENGTH) return false
  for (let index = 0; index < name.length; index++) {
    if (TOKEN[name.charCodeAt(index)] !== 1) return false
  }
  return name !== ''
}

/**
 * Whether a policy may state this value: visible ASCII with single spaces between, 1 to 8,192 characters. Stricter than
 * RFC 9110 section 5.5: what is understood the same everywhere cannot end a line or mean something else behind.
 */
export function isFieldValue(value: string): boolean {
  if (value.length > MAX_VALUE_LENGTH) return false
  let previous = SPACE
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index)
    if (code < SPACE || code > TILDE || (code === SPACE && previous === SPACE)) return false
    previous = code
  }
  return previous !== SPACE
}
