import type { Command, Operand, Option } from './command.ts'

const JSON_OPTION: Option = {
  name: 'json',
  short: null,
  value: null,
  use: 'once',
  meaning: 'print JSON, for programs',
}

const CONFIG_OPTION: Option = {
  name: 'config',
  short: 'c',
  value: 'FILE',
  use: 'once',
  meaning: 'the configuration file; wins over GATEWAY_CONFIG',
}

const TENANT_OPTION: Option = once('tenant', 'TENANT', '')

const KEY_FILE_OPTION: Option = once('file', 'FILE', 'the file of keys; api-keys.yaml if left out')

const ADMIN_OPTION: Option = once(
  'admin',
  'URL',
  'the operator listener of the gateway; the one of this machine if left out',
)

/** Exactly one of them is to be given. */
const REVOKED_OPTIONS: readonly Option[] = [
  once('jti', 'ID', 'the token of this `jti`, or the API key that begins so'),
  once('subject', 'SUBJECT', 'everything of this subject, whatever its tenant'),
  once('tenant', 'TENANT', 'everything of this tenant, open streams included'),
]

const OPTIONAL_FILE: Operand = { name: 'FILE', need: 'optional', choices: null }

export const COMMANDS: readonly Command[] = [
  {
    name: 'start',
    summary: 'run the gateway, set up by a file or by GATEWAY_* variables and ./.env',
    description: `With a configuration file (YAML, JSON or TypeScript, named by --config or GATEWAY_CONFIG) it serves that file's routes.
Without one, GATEWAY_* variables and the file .env of the working directory set it up; real variables win, and
GATEWAY_JWT_SECRET (or GATEWAY_JWT_SECRET_FILE) must be set.
Log lines go to standard output, or where \`log.output\` says. SIGTERM and SIGINT drain it, a second one ends it at once.
SIGHUP has it load its configuration again, as a change of one of its files does; SIGUSR1 has it open its log file again.`,
    operands: [],
    options: [CONFIG_OPTION],
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'dev',
    summary: 'run it with demo services behind it and tokens to try',
    description: `Starts demo services for ingest, query and auth, a secret that lasts as long as the process,
and prints curl commands that work as they stand.`,
    operands: [],
    options: [],
    load: async () => (await import('./dev.ts')).dev,
  },
  {
    name: 'check',
    summary: 'say everything that is wrong with a configuration',
    description: `Judges a configuration file, or without FILE what \`nyro start\` would run with here, and connects to nothing.
Problems make it bad. Notes do not: they say what is doubtful.
Exit status: 0 good, 1 bad, 2 bad usage.`,
    operands: [OPTIONAL_FILE],
    options: [JSON_OPTION],
    load: async () => (await import('./check.ts')).check,
  },
  {
    name: 'diff',
    summary: 'say what changes from one configuration to another',
    description: `Compares what two configuration files mean, not how they are written: one line for each effective change, with the
environment as it is here. Secrets are never shown, only that they changed. Lines that end in (needs a restart) name
what a reload cannot bring about.
Exit status: 0 no difference, 1 differences, 2 a file that cannot be used or bad usage.`,
    operands: [
      { name: 'BEFORE', need: 'required', choices: null },
      { name: 'AFTER', need: 'required', choices: null },
    ],
    options: [JSON_OPTION],
    load: async () => (await import('./diff.ts')).diff,
  },
  {
    name: 'routes',
    summary: 'print the table of routes in the order they are tried',
    description: `Prints the routes of a configuration file, or without FILE of what \`nyro start\` would run with here: exact hosts
before wildcards, literal paths before parameters, more conditions first. Where several lines fit a request, the
first one takes it.
Exit status: 0 printed, 1 bad configuration, 2 bad usage.`,
    operands: [OPTIONAL_FILE],
    options: [JSON_OPTION],
    load: async () => (await import('./routes.ts')).routes,
  },
  {
    name: 'explain',
    summary: 'say what would become of a request, and why',
    description: `Matches and judges a request by the code that serves, and sends nothing: which route takes it and why the others do
not, the verdict of every policy, what the upstream would get, what is stripped and stated, where it could go.
URL is a path, or a whole URL whose host becomes Host. Policies of your own are asked too.
With --admin it is a running gateway that says so, with the state of its endpoints; GATEWAY_ADMIN_TOKEN is sent along.
  nyro explain GET /api/v1/query/search --token "$TOKEN" -H 'X-Beta: 1'
Exit status: 0 explained, whatever came of it, 1 it cannot be told, 2 bad usage.`,
    operands: [
      { name: 'METHOD', need: 'required', choices: null },
      { name: 'URL', need: 'required', choices: null },
    ],
    options: [
      CONFIG_OPTION,
      {
        name: 'header',
        short: 'H',
        value: 'LINE',
        use: 'repeated',
        meaning: 'a field line of the request, name and value',
      },
      {
        name: 'token',
        short: null,
        value: 'TOKEN',
        use: 'once',
        meaning: 'the bearer token it carries',
      },
      {
        name: 'from',
        short: null,
        value: 'ADDRESS',
        use: 'once',
        meaning: 'address of the client; 127.0.0.1 if left out',
      },
      {
        name: 'admin',
        short: null,
        value: 'URL',
        use: 'once',
        meaning: 'ask the gateway with its operator listener there',
      },
      JSON_OPTION,
    ],
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'token mint',
    summary: 'make a token to try with',
    description: `Signs with the secret of an issuer of yours, or without one asks the issuer that \`nyro dev\` runs; prints the token.
Which secret: that of --config, or of what \`nyro start\` would run with here; --issuer names one of several.
A URL as --issuer is that of a running \`nyro dev\`. A production configuration is refused, unless with --force: what is
minted then lets its holder in as that tenant. It has to be written down nowhere and to end soon.
  curl -H "Authorization: Bearer $(nyro token mint --tenant acme)" localhost:8080/api/v1/query/search
Exit status: 0 minted, 1 it cannot be signed, 2 bad usage.`,
    operands: [],
    options: [
      { ...TENANT_OPTION, meaning: 'the tenant it is for' },
      once('sub', 'SUBJECT', 'whom it names; developer if left out'),
      repeated('scope', 'SCOPE', 'a scope it grants, or several with spaces between'),
      once('ttl', 'DURATION', 'how long it is good for, such as 15m, 8h or 2d; 1h if left out, at most 30d'),
      once('alg', 'ALGORITHM', 'one that the issuer lists, or ES256 or RS256 of nyro dev'),
      once('issuer', 'NAME', 'an issuer of the configuration, or the URL of a running nyro dev'),
      repeated(
        'claim',
        'NAME=VALUE',
        'a claim more, or another one; JSON is taken as such, all else as text',
      ),
      CONFIG_OPTION,
      flag('force', 'sign by a production configuration too'),
      JSON_OPTION,
    ],
    load: async () => (await import('./token-mint.ts')).tokenMint,
  },
  {
    name: 'token inspect',
    summary: 'say what a token holds, and whether it would be believed',
    description: `Shows header, claims and times, and judges the token as the gateway would by the configuration: which issuer it falls
to, and why it is refused. Published keys are fetched for that, from where the configuration says and nowhere else.
TOKEN is - to have it read from standard input, which leaves no trace in the shell's history. Neither the signature
nor a key is printed.
Exit status: 0 shown, whatever the verdict, 1 it is no token, 2 bad usage.`,
    operands: [{ name: 'TOKEN', need: 'required', choices: null }],
    options: [CONFIG_OPTION, JSON_OPTION],
    load: async () => (await import('./token-inspect.ts')).tokenInspect,
  },
  {
    name: 'apikey create',
    summary: 'make an API key and keep its hash',
    description: `Prints a new key, this once, and adds its SHA-256 to the file of keys, which is made where it is missing, for its
owner's eyes only. Remarks in the file stay. A gateway whose configuration names the file takes the key up at once.
Exit status: 0 created, 1 the file cannot be used, 2 bad usage.`,
    operands: [],
    options: [
      { ...TENANT_OPTION, meaning: 'the tenant it is for' },
      once('name', 'NAME', 'what the key is called, once in the file'),
      repeated('scope', 'SCOPE', 'a scope it grants, or several with spaces between'),
      once('plan', 'PLAN', 'the plan it is on'),
      once(
        'expires',
        'WHEN',
        'a day such as 2030-01-31, a time, or how long from now, such as 90d; never if left out',
      ),
      KEY_FILE_OPTION,
      JSON_OPTION,
    ],
    load: async () => (await import('./apikey.ts')).apikeyCreate,
  },
  {
    name: 'apikey list',
    summary: 'list the API keys of a file',
    description: `Lists the keys by name with whom they belong to, what they begin with and when they end. The keys themselves are
nowhere: the file holds hashes.
Exit status: 0 listed, 1 the file cannot be used, 2 bad usage.`,
    operands: [],
    options: [KEY_FILE_OPTION, JSON_OPTION],
    load: async () => (await import('./apikey.ts')).apikeyList,
  },
  {
    name: 'apikey revoke',
    summary: 'take an API key out of its file',
    description: `Takes the key out of the file of keys; a gateway whose configuration names the file no longer believes it.
Exit status: 0 done, 1 it is not there or the file cannot be used, 2 bad usage.`,
    operands: [],
    options: [once('name', 'NAME', 'what the key is called'), KEY_FILE_OPTION, JSON_OPTION],
    load: async () => (await import('./apikey.ts')).apikeyRevoke,
  },
  {
    name: 'revoke',
    summary: 'have a token, a subject or a whole tenant refused, at once',
    description: `Tells a running gateway to refuse what names this token (--jti, or what an API key begins with), this subject or this
tenant. It is in force on every data thread when the command returns, and on all replicas a second later where they
share a store. GATEWAY_ADMIN_TOKEN is sent along.
Exit status: 0 revoked, 1 the gateway cannot be asked or did not do it, 2 bad usage.`,
    operands: [],
    options: [
      ...REVOKED_OPTIONS,
      once('for', 'DURATION', 'how long, such as 30m, 8h or 7d; until it is lifted if left out'),
      ADMIN_OPTION,
      JSON_OPTION,
    ],
    load: async () => (await import('./revoke.ts')).revoke,
  },
  {
    name: 'revoke list',
    summary: 'list what is revoked',
    description: `Lists what a running gateway refuses. GATEWAY_ADMIN_TOKEN is sent along.
Exit status: 0 listed, 1 the gateway cannot be asked, 2 bad usage.`,
    operands: [],
    options: [ADMIN_OPTION, JSON_OPTION],
    load: async () => (await import('./revoke.ts')).revokeList,
  },
  {
    name: 'revoke lift',
    summary: 'believe again what was revoked',
    description: `Lifts a revocation. Tokens that are good by themselves count again at once. GATEWAY_ADMIN_TOKEN is sent along.
Exit status: 0 lifted, 1 it was not revoked or the gateway cannot be asked, 2 bad usage.`,
    operands: [],
    options: [...REVOKED_OPTIONS, ADMIN_OPTION, JSON_OPTION],
    load: async () => (await import('./revoke.ts')).revokeLift,
  },
  {
    name: 'schema',
    summary: 'print the JSON Schema of configuration files, for editors',
    description: `Prints the JSON Schema of a YAML or JSON configuration file. An editor with yaml-language-server takes it by a first
line such as: # yaml-language-server: $schema=./nyro.schema.json`,
    operands: [],
    options: [],
    load: async () => (await import('./schema.ts')).schema,
  },
  {
    name: 'completion',
    summary: 'print what completes nyro commands in a shell',
    description: `Prints a script for the shell. For good:
  bash: nyro completion bash > ~/.local/share/bash-completion/completions/nyro
  zsh:  nyro completion zsh > a folder of $fpath, as _nyro
  fish: nyro completion fish > ~/.config/fish/completions/nyro.fish`,
    operands: [{ name: 'SHELL', need: 'required', choices: ['bash', 'zsh', 'fish'] }],
    options: [],
    load: async () => (await import('./completion.ts')).completion,
  },
  {
    name: 'version',
    summary: 'print the version (also --version)',
    description: 'Prints the version and nothing else.',
    operands: [],
    options: [],
    load: async () => (edge) => edge.print(`${edge.version}\n`),
  },
  {
    name: 'help',
    summary: 'print this (also --help; nyro help COMMAND or nyro COMMAND --help for one)',
    description: 'Lists the commands, or explains one.',
    operands: [
      { name: 'COMMAND', need: 'optional', choices: null },
      { name: 'SUBCOMMAND', need: 'optional', choices: null },
    ],
    options: [],
    load: async () => (await import('./help.ts')).help,
  },
]

function once(name: string, value: string, meaning: string): Option {
  return { name, short: null, value, use: 'once', meaning }
}

function repeated(name: string, value: string, meaning: string): Option {
  return { name, short: null, value, use: 'repeated', meaning }
}

function flag(name: string, meaning: string): Option {
  return { name, short: null, value: null, use: 'once', meaning }
}
