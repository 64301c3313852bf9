import type { ProcessEdge } from './process-edge.ts'

export interface Command {
  readonly name: string
  /** One line of the list of commands. */
  readonly summary: string
  /** What `--help` adds: paragraphs. */
  readonly description: string
  /** Commands are loaded when called: starting is a budget, and `start` needs nothing of the others. */
  load(): Promise<Run>
}

/** `commands` are all there are, for the one that lists them. */
export type Run = (edge: ProcessEdge, commands: readonly Command[]) => void | Promise<void>

export const COMMANDS: readonly Command[] = [
  {
    name: 'start',
    summary: 'run the gateway, set up by GATEWAY_* variables and ./.env',
    description: `Reads GATEWAY_* variables and the file .env of the working directory; real variables win.
The one that must be set is GATEWAY_JWT_SECRET (or GATEWAY_JWT_SECRET_FILE).
Log lines go to standard output. SIGTERM and SIGINT drain it, a second one ends it at once.`,
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'dev',
    summary: 'run it with demo services behind it and tokens to try',
    description: `Starts demo services for ingest, query and auth, a secret that lasts as long as the process,
and prints curl commands that work as they stand.`,
    load: async () => (await import('./dev.ts')).dev,
  },
  {
    name: 'version',
    summary: 'print the version (also --version)',
    description: 'Prints the version and nothing else.',
    load: async () => (edge) => edge.print(`${edge.version}\n`),
  },
  {
    name: 'help',
    summary: 'print this (also --help; nyro COMMAND --help for one command)',
    description: 'Lists the commands.',
    load: async () => (await import('./help.ts')).help,
  },
]
