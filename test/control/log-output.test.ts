import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until, within } from '../support/until.ts'

const PROGRAM = fileURLToPath(new URL('../support/log-process.ts', import.meta.url))

function startProgram(t: TestContext, stdout: 'pipe' | number | Socket) {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', stdout, 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  let told = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    told += text
  })
  const lastBeat = () => /beat (\d+) (\d+)\n(?!.*beat)/s.exec(told)
  const beats = () => Number(lastBeat()?.[1] ?? 0)
  const lost = () => Number(lastBeat()?.[2] ?? 0)
  const counts = () =>
    JSON.parse(told.trimEnd().split('\n').at(-1) ?? '') as { written: number; lost: number }
  return { child, beats, lost, counts }
}

/** Waits until control has turned its loop so many times more. */
function someBeats(beats: () => number): Promise<unknown> {
  const before = beats()
  return until('control runs on', () => beats() > before + 15, 30_000)
}

async function finished(child: ChildProcess): Promise<void> {
  child.stdin?.end()
  const [code] = await within('the program ends', once(child, 'close'), 60_000)
  assert.equal(code, 0)
}

/** Every line whole, each producer in its order. Returns how many lines the producers' rings let through. */
function check(text: string): { readonly lines: number; readonly told: number } {
  assert.ok(text.endsWith('\n'))
  const next = [0, 0, 0]
  let lines = 0
  let told = 0
  for (const line of text.split('\n').slice(0, -1)) {
    const { producer, index, pad, again, event, count } = JSON.parse(line)
    if (event === 'Log lines dropped') {
      told += count
      continue
    }
    assert.equal(again, index)
    assert.equal(pad.length, (index * 31) % 400)
    assert.ok(index >= (next[producer] ?? Number.NaN), 'in order')
    next[producer] = index + 1
    lines++
  }
  return { lines, told }
}

test('a blocked pipe stops neither control nor the threads, tears no line, and what is lost is told', async (t) => {
  const { child, beats, lost, counts } = startProgram(t, 'pipe')
  const { stdout } = child
  assert.ok(stdout)
  stdout.pause()
  await until('the rings are full', () => lost() > 0, 30_000)
  await someBeats(beats)
  // From here on a slow reader: 8 KiB each time control turned its loop.
  let text = ''
  for (let turn = 0; turn < 20; turn++) {
    const before = beats()
    await until('control runs on', () => beats() > before, 30_000)
    text += stdout.read(8_192)?.toString('latin1') ?? ''
  }
  stdout
    .setEncoding('latin1')
    .on('data', (piece: string) => {
      text += piece
    })
    .resume()
  await finished(child)
  const { lines, told } = check(text)
  assert.deepEqual({ written: lines, lost: told }, counts())
})

test('a reader that goes away stops neither control nor the threads', async (t) => {
  const { child, beats, lost } = startProgram(t, 'pipe')
  await until('the program runs', () => beats() > 0, 30_000)
  child.stdout?.destroy()
  await until('lines are lost', () => lost() > 0, 30_000)
  await someBeats(beats)
  await finished(child)
})

test('a blocked socket for standard output, as systemd gives one, does not stop control', async (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'nyro-')), 'socket')
  const server = createServer().listen(path)
  t.after(() => server.close())
  const journal = connect(path)
  const [[peer]] = await Promise.all([once(server, 'connection'), once(journal, 'connect')])
  t.after(() => peer.destroy())
  peer.pause()
  const { child, beats, lost, counts } = startProgram(t, journal)
  journal.destroy()
  await until('the rings are full', () => lost() > 0, 30_000)
  await someBeats(beats)
  let text = ''
  peer
    .setEncoding('latin1')
    .on('data', (piece: string) => {
      text += piece
    })
    .resume()
  await finished(child)
  await until('all is read', () => text.length > 0 && text.endsWith('\n'))
  assert.equal(check(text).lines, counts().written)
})

test('a file gets every line, behind what others wrote over the same descriptor', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nyro-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'log')
  const fd = openSync(path, 'w')
  const first = spawn('/bin/sh', ['-c', 'echo "{\\"event\\":\\"Log lines dropped\\",\\"count\\":0}"'], {
    stdio: ['ignore', fd, 'ignore'],
  })
  await once(first, 'close')
  const { child, beats, counts } = startProgram(t, fd)
  closeSync(fd)
  await until('the program runs', () => beats() > 5, 30_000)
  await finished(child)
  const text = readFileSync(path, 'latin1')
  assert.ok(text.startsWith('{"event":"Log lines dropped","count":0}\n'))
  assert.equal(check(text).lines, counts().written)
})
