import type { EndingExplanation, Explanation, UpstreamExplanation } from './explanation.ts'

/** The same in words, for a terminal. */
export function explanationText(explanation: Explanation): string {
  const { request, route, policies, identity, ending, upstream } = explanation
  const lines = [
    `${request.method} ${request.target}${request.host === '' ? '' : `  (host ${request.host})`}`,
    '',
  ]
  lines.push(`Route     ${route.chosen ?? 'none of the configured ones'}`)
  for (const { name, because } of route.others) lines.push(`          not ${name}: ${because.join('; ')}`)
  for (const [index, { policy, verdict, reason }] of policies.entries()) {
    lines.push(
      `${index === 0 ? 'Policies  ' : '          '}${policy} ${verdict}${reason === '' ? '' : `: ${reason}`}`,
    )
  }
  if (identity !== null) lines.push(`Identity  ${identity.subject}, tenant ${identity.tenant}`)
  lines.push(`Ending    ${endingText(ending, upstream)}`)
  if (upstream !== null) lines.push(...upstreamLines(upstream))
  return `${lines.join('\n')}\n`
}

function endingText(ending: EndingExplanation, upstream: UpstreamExplanation | null): string {
  switch (ending.kind) {
    case 'forwarded':
      return `forwarded to ${upstream?.name ?? 'an upstream'}`
    case 'refused':
      return `refused with ${ending.status} ${ending.code}: ${ending.detail}`
    case 'answered':
      return `answered by the gateway with ${ending.status}${ending.fields.map((line) => `\n            ${line}`).join('')}`
  }
}

function upstreamLines(upstream: UpstreamExplanation): string[] {
  const { choices, endpoints, balance, stripped, asserted, requestLine, fields } = upstream
  const lines: string[] = []
  if (choices.length > 1) {
    lines.push(`Shares    ${choices.map(({ name, share }) => `${name} ${share}%`).join(', ')}`)
  }
  lines.push(`Balance   ${balance}`)
  for (const [index, { target, address, state }] of endpoints.entries()) {
    const at = address === null || target.startsWith(`${address}:`) ? '' : ` at ${address}`
    lines.push(`${index === 0 ? 'Endpoints ' : '          '}${target}${at} (${state})`)
  }
  lines.push(`Stripped  ${stripped.length === 0 ? 'nothing' : stripped.join(', ')}`)
  lines.push(`Stated    ${asserted.join(', ')}`)
  lines.push('', 'The upstream gets:', '', `    ${requestLine}`, ...fields.map((line) => `    ${line}`))
  return lines
}
