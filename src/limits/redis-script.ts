import { createHash, hash } from 'node:crypto'
import { QuotaRule } from './quota-rule.ts'
import { RateRule } from './rate-rule.ts'
import type { Rule } from './rule.ts'

/**
 * All rules of one exchange in one call: counts by all of them or by none. The time is Redis' own, so that gateways
 * need not agree on one. A bucket is kept as what it lacks and when that was so, in integers below 2⁵³: with k units a
 * millisecond, in k-ths of a microsecond. A quota is kept as its window's number and what is used. Time that was put
 * back is taken for time that stands still.
 *
 * KEYS: one for each rule. ARGV: four for each: `rate`, cost, depth, units a millisecond; or `quota`, limit, window,
 * nothing. Gives: 1 or 0, the rule that refused or has the fewest left (from 1), what is left of it, milliseconds
 * until it is full again, milliseconds until another try.
 */
export const LIMIT_SCRIPT = `
local floor, ceil = math.floor, math.ceil
local clock = redis.call('TIME')
local us = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local dayMs = 86400000

local function daysUntil(year, month)
  if month <= 2 then year = year - 1 end
  local era = floor(year / 400)
  local ofEra = year - era * 400
  local ofYear = floor((153 * (month > 2 and month - 3 or month + 9) + 2) / 5)
  return era * 146097 + ofEra * 365 + floor(ofEra / 4) - floor(ofEra / 100) + ofYear - 719468
end

local function monthOf(days)
  local year = 1970 + floor(days / 366)
  local month = 1
  while daysUntil(year + 1, 1) <= days do year = year + 1 end
  while month < 12 and daysUntil(year, month + 1) <= days do month = month + 1 end
  return year, month
end

local function windowAt(kind, ms)
  if kind == 'hour' then
    local hour = floor(ms / 3600000)
    return hour, (hour + 1) * 3600000
  end
  local day = floor(ms / dayMs)
  if kind == 'day' then return day, (day + 1) * dayMs end
  local year, month = monthOf(day)
  local following = month == 12 and daysUntil(year + 1, 1) or daysUntil(year, month + 1)
  return (year - 1970) * 12 + month - 1, following * dayMs
end

local function rate(held, cost, depth, units)
  local lack, at = 0, us
  if held then
    local kept, since = string.match(held, '^(%d+):(%d+)$')
    kept, since = tonumber(kept), tonumber(since)
    if since > at then at = since end
    if (at - since) < kept / units then lack = kept - (at - since) * units end
  end
  local after = lack + cost
  if after > depth then
    return nil, floor((depth - lack) / cost), lack / units / 1000, (after - depth) / units / 1000
  end
  local value = string.format('%.0f:%.0f', after, at)
  return value, floor((depth - after) / cost), after / units / 1000, 0
end

local function quota(held, limit, kind)
  local ms = us / 1000
  local window, closing = windowAt(kind, ms)
  local used = 0
  if held then
    local kept, count = string.match(held, '^(%d+):(%d+)$')
    if tonumber(kept) >= window then window, used = tonumber(kept), tonumber(count) end
  end
  if used >= limit then return nil, 0, closing - ms, closing - ms end
  return string.format('%.0f:%.0f', window, used + 1), limit - used - 1, closing - ms, 0
end

local values, expiries = {}, {}
local nearest, fewest, reset = 0, math.huge, 0
for index, key in ipairs(KEYS) do
  local at = (index - 1) * 4
  local held = redis.call('GET', key)
  local value, left, resetMs, retryMs
  if ARGV[at + 1] == 'rate' then
    value, left, resetMs, retryMs =
      rate(held, tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]))
  else
    value, left, resetMs, retryMs = quota(held, tonumber(ARGV[at + 2]), ARGV[at + 3])
  end
  if not value then return { 0, index, left, ceil(resetMs), ceil(retryMs) } end
  values[index], expiries[index] = value, ceil(resetMs) + 1000
  if left < fewest then nearest, fewest, reset = index, left, resetMs end
end
for index, key in ipairs(KEYS) do
  redis.call('SET', key, values[index], 'PX', string.format('%.0f', expiries[index]))
end
return { 1, nearest, fewest, ceil(reset), 0 }
`

const SCRIPT_SHA = createHash('sha1').update(LIMIT_SCRIPT).digest('hex')

/** Makes a Redis know the script; asks it whether it answers at all. */
export const LOAD_SCRIPT: readonly string[] = ['SCRIPT', 'LOAD', LIMIT_SCRIPT]

/** What a key keeps of a digest: 132 bits, as 22 characters. */
const KEY_LENGTH = 22

/**
 * The script's call, to be sent with `EVALSHA`. Keys are digests: Redis learns no tenant, subject or address, and none
 * of them can be long or mean anything to it. One hash tag for all, so that a cluster has them in one slot, where one
 * script may touch them.
 */
export function limitCommand(prefix: string, rules: readonly Rule[], keys: readonly string[]): string[] {
  const command = ['EVALSHA', SCRIPT_SHA, String(rules.length)]
  for (const [index, rule] of rules.entries()) {
    const digest = hash('sha256', `${rule.identity}\0${keys[index]}`, 'base64url').slice(0, KEY_LENGTH)
    command.push(`${prefix}:{limits}:${digest}`)
  }
  for (const rule of rules) command.push(...numbersOf(rule))
  return command
}

/** The same call for a Redis that does not know the script, which it keeps from then on. */
export function withScript(command: readonly string[]): string[] {
  return ['EVAL', LIMIT_SCRIPT, ...command.slice(2)]
}

function numbersOf(rule: Rule): readonly string[] {
  if (rule instanceof RateRule)
    return ['rate', String(rule.cost * 1_000), String(rule.depth * 1_000), String(rule.unitsPerMs)]
  if (rule instanceof QuotaRule) return ['quota', String(rule.limit), rule.window, '']
  throw new Error(`no script counts by ${rule.identity}`)
}
