import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fieldNameHash } from '../../src/http1/field-name.ts'
import { FIELD_STRIDE } from '../../src/http1/head.ts'
import { StripSet } from '../../src/proxy/strip-set.ts'
import { parsedGet } from './parsed-head.ts'

/** Whether a field of that name, behind another one, is dropped. */
function drops(set: StripSet, name: string): boolean {
  const head = parsedGet('/', 'X-Before: 1', `${name}: value`, 'X-After: 1')
  return set.drops(head, 2)
}

describe('a strip set', () => {
  // The attack: CGI, WSGI and several frameworks read `X_Company_ID` or `X.Company.ID` as X-Company-ID, so a client's
  // copy in such a spelling would stand beside the verified one, or in its place.
  test('drops every spelling that an upstream could fold into a name of its own', () => {
    const set = new StripSet(['x-company-id'])
    const spellings = [
      'X-Company-ID',
      'x-company-id',
      'X_Company_ID',
      'X.Company.ID',
      'x_company-ID',
      'X.cOMPANY_iD',
    ]
    for (const name of spellings) assert.equal(drops(set, name), true, name)
  })

  test('keeps names that merely look alike', () => {
    const set = new StripSet(['x-company-id'])
    const others = [
      'X-Company',
      'X-Company-ID2',
      'XX-Company-ID',
      'X--Company-ID',
      'XCompanyID',
      'X-Company-I',
      'X~Company-ID',
    ]
    for (const name of others) assert.equal(drops(set, name), false, name)
  })

  test('folds its own names as it folds those of messages', () => {
    for (const own of ['X_Company_ID', 'x.company.id', 'X-COMPANY-ID'])
      assert.equal(drops(new StripSet([own]), 'x-company-id'), true, own)
  })

  // The attack: `Content_Length` passes as an unknown field and is a second length to an upstream that folds it.
  test('drops aliases of an exact name and keeps the name itself in any case', () => {
    const set = new StripSet([], ['content-length'])
    for (const name of ['Content_Length', 'content.length', 'CONTENT_LENGTH'])
      assert.equal(drops(set, name), true, name)
    const head = parsedGet('/', 'CONTENT-length: 0', 'X: 1')
    assert.equal(set.drops(head, 1), false)
    assert.equal(set.drops(head, 2), false)
  })

  test('drops only what it holds where another name has the same hash', () => {
    const set = new StripSet(['x-company-id'])
    const head = parsedGet('/', 'X-Innocent: 1')
    head.fields[FIELD_STRIDE + 4] = fieldNameHash('x-company-id')
    assert.equal(set.drops(head, 1), false)
  })

  test('drops nothing when it is empty', () => {
    assert.equal(drops(new StripSet([]), 'X-Company-ID'), false)
  })
})
