import { TOKEN_LIFE_S } from './demo-token.ts'

/** What the welcome tells; every part of it true of the running process. */
export interface WelcomeFacts {
  readonly name: string
  /** `http://host:port`, to be opened from this machine. */
  readonly publicUrl: string
  readonly adminUrl: string
  /** Paths of the routes without their slash-star; null where there is no such route. */
  readonly ingestPath: string
  readonly queryPath: string
  readonly authPath: string | null
  /** Those that are served by a demo service, so that its paths are known to exist. */
  readonly demos: ReadonlySet<string>
  /** Valid for hours; null where none can be issued. */
  readonly token: string | null
  /** Signed with a secret of the operator's own, not one made up for this run. */
  readonly hasOwnSecret: boolean
  /** Of the issuer that runs beside it, and a token of that one, for as long as the other. */
  readonly issuerUrl: string
  readonly issuerToken: string
  /** Listens on more than the loopback interface. */
  readonly isExposed: boolean
}

/** The text printed once the gateway is ready: plain ASCII, each command on one line, ready to be pasted. */
export function welcome(facts: WelcomeFacts): string {
  const { name, publicUrl, adminUrl, issuerUrl, demos } = facts
  const commands = examples(facts).map(({ title, command }) => `  ${title}\n\n    ${command}\n\n`)
  const own = ['ingest', 'query', 'auth'].filter((service) => !demos.has(service))
  return [
    `\n  ${name} is ready at ${publicUrl}\n\n`,
    `  API pages   ${publicUrl}/docs  ${publicUrl}/redoc\n`,
    `  Live page   ${adminUrl}/\n`,
    `  Issuer      ${issuerUrl}/.well-known/openid-configuration\n`,
    `  Services    ${demos.size === 0 ? 'no demo services' : `demo services for ${[...demos].join(', ')}`}`,
    `${own.length === 0 ? '' : `; your own for ${own.join(', ')}`}\n\n`,
    ...commands,
    ...remarks(facts).map((remark) => `  ${remark}\n\n`),
    '  Ctrl-C stops it.\n\n',
  ].join('')
}

interface Example {
  readonly title: string
  readonly command: string
}

function examples(facts: WelcomeFacts): Example[] {
  const { publicUrl, ingestPath, queryPath, authPath, demos } = facts
  const authorization = `Authorization: Bearer ${facts.token ?? '<a token of your issuer>'}`
  const url = (path: string): string => quote(publicUrl + path)
  const list: Example[] = []
  if (demos.has('ingest')) {
    const fields = `-H ${quote(authorization)} -H 'Content-Type: text/plain'`
    const command = `curl -sS ${url(`${ingestPath}/documents`)} ${fields} --data-binary 'Hello, Nyro'`
    list.push({ title: 'Upload to ingest, and see what the service received:', command })
  } else {
    list.push({
      title: 'Your ingest service:',
      command: `curl -sS ${url(ingestPath)} -H ${quote(authorization)}`,
    })
  }
  if (demos.has('query')) {
    const command = `curl -sS ${url(`${queryPath}/search?q=report`)} -H ${quote(authorization)}`
    list.push({ title: 'Query, answered in JSON:', command })
    const stream = `curl -sSN ${url(`${queryPath}/stream?q=report`)} -H ${quote(authorization)}`
    list.push({ title: 'Query, answered token by token (server-sent events):', command: stream })
  } else {
    list.push({
      title: 'Your query service:',
      command: `curl -sS ${url(queryPath)} -H ${quote(authorization)}`,
    })
  }
  if (authPath !== null && demos.has('auth')) {
    const login = `{"username": "demo-user", "company_id": "acme"}`
    const command = `curl -sS ${url(`${authPath}/login`)} -H 'Content-Type: application/json' -d ${quote(login)}`
    list.push({ title: 'Log in for a token of your own:', command })
  }
  return [...list, ...issuerExamples(facts)]
}

function issuerExamples({ publicUrl, queryPath, demos, issuerUrl, issuerToken }: WelcomeFacts): Example[] {
  const target = quote(publicUrl + (demos.has('query') ? `${queryPath}/search?q=report` : queryPath))
  return [
    {
      title: 'Query, with a token of the OIDC issuer that runs beside it (ES256, keys by discovery):',
      command: `curl -sS ${target} -H ${quote(`Authorization: Bearer ${issuerToken}`)}`,
    },
    {
      title: 'Another token of that issuer, which nyro token mint asks for too:',
      command: `curl -sS ${quote(`${issuerUrl}/token`)} -d ${quote('tenant=acme&sub=demo-user')}`,
    },
    { title: 'New keys for that issuer:', command: `curl -sS -X POST ${quote(`${issuerUrl}/rotate`)}` },
  ]
}

function remarks(facts: WelcomeFacts): string[] {
  const list: string[] = []
  if (facts.token === null) {
    list.push(
      'Tokens are verified with your public key, so none can be issued here: put in one of your issuer.',
    )
  } else {
    const secret = facts.hasOwnSecret ? 'your GATEWAY_JWT_SECRET' : 'a secret that ends with this process'
    list.push(`The tokens are valid for ${TOKEN_LIFE_S / 3600} hours, signed with ${secret}.`)
  }
  if (facts.isExposed) {
    list.push('WARNING: other machines can reach this gateway, and its demo login asks for no password.')
  }
  return list
}

/** For POSIX shells: nothing is special between single quotes. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
