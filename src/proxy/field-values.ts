import type { RequestHead } from './exchange.ts'

/** All values of a list field in their order, joined as RFC 9110 section 5.3 allows; empty ones left out. */
export function joinedValues(head: RequestHead, name: string): string {
  let all = ''
  for (let index = head.find(name, 0); index >= 0; index = head.find(name, index + 1)) {
    const value = head.value(index)
    if (value !== '') all += all === '' ? value : `, ${value}`
  }
  return all
}

/** A field's value if it is there once and not empty. */
export function singleValue(head: RequestHead, name: string): string | null {
  const index = head.find(name, 0)
  if (index < 0 || head.find(name, index + 1) >= 0) return null
  const value = head.value(index)
  return value === '' ? null : value
}
