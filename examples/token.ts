/** `node examples/token.ts TENANT`: a token that is good for an hour, signed with GATEWAY_JWT_SECRET. */
import { createHmac } from 'node:crypto'

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const claims = {
  sub: 'somebody',
  company_id: process.argv[2] ?? 'acme',
  exp: Math.floor(Date.now() / 1_000) + 3_600,
}
const input = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`
const signature = createHmac('sha256', process.env['GATEWAY_JWT_SECRET'] ?? '')
  .update(input)
  .digest('base64url')
process.stdout.write(`${input}.${signature}\n`)
