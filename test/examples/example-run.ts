import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { ROOT } from '../budgets/tree.ts'
import { within } from '../support/until.ts'
import { parseReadme, type Readme, type Step } from './readme.ts'

/** As examples write them: 8080 and the like, 9901 and 9903, 4318. Each becomes a free one. */
const PORT = /(?<![\d.])(?:80[89]\d|99\d\d|4318)(?!\d)/g
/** Below what systems give to who asks for port 0, so that no other test comes upon one between its choice and its use. */
const LEAST_PORT = 10_000
const PORTS = 20_000
const DEADLINE_MS = 90_000

/** An example in a copy of the project's root, on ports of its own. */
export class ExampleRun {
  readonly readme: Readme
  readonly #root: string
  readonly #env: Readonly<Record<string, string>>
  readonly #ports: readonly string[]

  private constructor(name: string, root: string, ports: ReadonlyMap<string, string>) {
    const { PATH = '', HOME = '' } = process.env
    this.readme = parseReadme(readFileSync(join(root, 'examples', name, 'README.md'), 'utf8'))
    this.#root = root
    this.#ports = [...ports.values()]
    this.#env = {
      PATH: [dirname(process.execPath), PATH].join(delimiter),
      HOME,
      GATEWAY_PORT: ports.get('8080') ?? '',
      GATEWAY_ADMIN_PORT: ports.get('9901') ?? '',
      GATEWAY_WORKERS: '1',
    }
  }

  static async prepare(name: string): Promise<ExampleRun> {
    const root = mkdtempSync(join(tmpdir(), `nyro-example-${name}-`))
    for (const entry of ['bin', 'src', 'package.json', 'node_modules'])
      symlinkSync(join(ROOT, entry), join(root, entry))
    const examples = join(root, 'examples')
    cpSync(join(ROOT, 'examples'), examples, {
      recursive: true,
      filter: (path) => !/\.log$|api-keys/.test(path),
    })
    const files = readdirSync(join(examples, name)).map((file) => join(examples, name, file))
    const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))
    const ports = await portsFor(['8080', '9901', ...texts.values()].join(' '))
    for (const [file, text] of texts)
      writeFileSync(
        file,
        text.replaceAll(PORT, (port) => ports.get(port) ?? port),
      )
    return new ExampleRun(name, root, ports)
  }

  /** Starts what the README starts, takes the steps, and says what each printed. */
  async answers(steps: readonly Step[]): Promise<readonly string[]> {
    const script = join(this.#root, 'script.sh')
    writeFileSync(script, this.#script(steps))
    // A group of its own: what the script left running ends with it.
    const shell = spawn('bash', [script], {
      cwd: this.#root,
      env: this.#env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let noise = ''
    for (const stream of [shell.stdout, shell.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (noise += text))
    try {
      const ended = new Promise((resolve) => shell.once('exit', resolve))
      const code = await within('the lines of the README to be run', ended, DEADLINE_MS)
      if (code !== 0) throw new Error(`status ${code}`)
    } catch (error) {
      throw new Error(`${error}\n${noise}`)
    } finally {
      if (shell.pid !== undefined) endGroup(shell.pid)
    }
    return steps.map((_, index) => readFileSync(this.#answerFile(index), 'utf8'))
  }

  #script(steps: readonly Step[]): string {
    const { GATEWAY_PORT, GATEWAY_ADMIN_PORT } = this.#env
    const waits = this.#ports
      // The gateway tries its port before its threads listen there.
      .filter((port) => port !== GATEWAY_PORT)
      .map((port) => `until (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>&-; do sleep 0.05; done`)
    waits.push(`until curl -sfo answer http://127.0.0.1:${GATEWAY_ADMIN_PORT}/ready; do sleep 0.05; done`)
    const recorded = steps.map(
      // Braces, not a shell of its own: variables last from one step to the next.
      ({ commands }, index) => `{\n${commands}} >${this.#answerFile(index)} 2>&1`,
    )
    // Where the run of the tests is ended from outside, nobody ends the group.
    const end = `(sleep ${(2 * DEADLINE_MS) / 1_000}; kill -KILL -$$) >/dev/null 2>&1 &`
    return [end, this.readme.setup, ...waits, ...recorded, 'exit 0', ''].join('\n')
  }

  #answerFile(index: number): string {
    return join(this.#root, `answer-${index}`)
  }

  [Symbol.dispose](): void {
    if (existsSync(this.#root)) rmSync(this.#root, { recursive: true, force: true })
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it ended before.
  }
}

async function portsFor(text: string): Promise<ReadonlyMap<string, string>> {
  const ports = new Map<string, string>()
  for (const [port] of text.matchAll(PORT)) {
    while (!ports.has(port)) {
      const candidate = LEAST_PORT + Math.floor(Math.random() * PORTS)
      if (!(await isTaken(candidate))) ports.set(port, String(candidate))
    }
  }
  return ports
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(true))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)))
  })
}
