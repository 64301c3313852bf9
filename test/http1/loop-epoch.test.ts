import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { LoopEpoch, NO_BATCH } from '../../src/http1/loop-epoch.ts'
import { within } from '../support/until.ts'
import { socketPair } from './loopback.ts'

/** After the check phase of the present turn of the loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('an epoch', () => {
  test('has no batch before the first event, and none between two batches', async () => {
    const epoch = new LoopEpoch()
    assert.equal(epoch.mark(), NO_BATCH)
    epoch.count()
    assert.notEqual(epoch.mark(), NO_BATCH)
    await nextTurn()
    assert.equal(epoch.mark(), NO_BATCH)
  })

  test('marks all moments of one batch alike and those of the next differently', async () => {
    const epoch = new LoopEpoch()
    const marks: number[] = []
    for (let batch = 0; batch < 3; batch++) {
      for (let event = 0; event < 5; event++) {
        epoch.count()
        marks.push(epoch.mark())
        assert.equal(epoch.now, epoch.mark())
      }
      await nextTurn()
    }
    assert.equal(new Set(marks).size, 3)
    for (let event = 0; event < 15; event++) assert.equal(marks[event], marks[event - (event % 5)])
  })

  test('is over by the time of an immediate that an event of it asked for', async () => {
    const epoch = new LoopEpoch()
    epoch.count()
    const mark = epoch.mark()
    await nextTurn()
    assert.notEqual(epoch.now, mark)
  })

  test('advances within a batch so large that the loop may have looked at the kernel again', () => {
    const epoch = new LoopEpoch()
    const seen = new Set<number>()
    for (let event = 0; event < 1_024; event++) {
      epoch.count()
      seen.add(epoch.mark())
    }
    assert.ok(seen.size > 1, `${seen.size} batches of 1,024 events`)
  })
})

describe('what had arrived when something ended', () => {
  test('has been looked for by the next batch, not by what comes between', async () => {
    const epoch = new LoopEpoch()
    epoch.count()
    const then = epoch.now
    assert.equal(epoch.isPast(then), false)
    await nextTurn()
    // Outside of a batch: the loop has not looked since.
    assert.equal(epoch.isPast(then), false)
    epoch.count()
    assert.equal(epoch.isPast(then), true)
    await nextTurn()
    assert.equal(epoch.isPast(then), true)
  })

  test('is past after one look more, even if that brought nothing', async () => {
    const epoch = new LoopEpoch()
    epoch.count()
    const then = epoch.now
    await new Promise<void>((resolve) => epoch.afterLook(resolve))
    assert.equal(epoch.isPast(then), true)
  })
})

// What the rule stands on: bytes that reach the kernel before the look are told of before the task runs.
test('a task after a look runs behind the events that the look brought', async () => {
  const [near, far] = await socketPair()
  try {
    const epoch = new LoopEpoch()
    const order: string[] = []
    near.on('data', () => {
      epoch.count()
      order.push('bytes')
    })
    await nextTurn()
    await nextTurn()
    far.write('x')
    await new Promise<void>((resolve) => {
      epoch.afterLook(() => {
        order.push('task')
        resolve()
      })
    })
    assert.deepEqual(order, ['bytes', 'task'])
  } finally {
    near.destroy()
    far.destroy()
  }
})

test('two sockets that were readable at the same time are read in one batch, and an answer in a later one', async () => {
  const epoch = new LoopEpoch()
  const marks: number[] = []
  const accepted: Socket[] = []
  const server = createServer((socket) => void accepted.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number } // it listens on TCP
  const clients = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  await Promise.all(clients.map((client) => once(client, 'connect')))
  while (accepted.length < 2) await nextTurn()
  try {
    const answered = new Promise<void>((resolve) => {
      for (const socket of accepted)
        socket.on('data', () => {
          epoch.count()
          marks.push(epoch.mark())
          if (socket === accepted[0]) socket.write('answer')
        })
      clients[0]?.on('data', () => {
        epoch.count()
        marks.push(epoch.mark())
        resolve()
      })
    })
    for (const client of clients) client.write('x')
    await within('the answer', answered)
    assert.equal(marks.length, 3)
    assert.equal(marks[0], marks[1])
    assert.notEqual(marks[2], marks[0])
  } finally {
    for (const socket of [...clients, ...accepted]) socket.destroy()
    server.close()
  }
})
