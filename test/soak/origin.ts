import { createServer } from 'node:net'
import type { OriginMessage, OriginOrder } from './message.ts'
import { OriginConnection, type OriginLedger } from './origin-connection.ts'

/** The soak's upstream, a process of its own: all three services on one port, told apart by their base paths. */
const order: OriginOrder = JSON.parse(process.argv[2] ?? '')

function tell(message: OriginMessage): void {
  process.send?.(message)
}

const ledger: OriginLedger = {
  seed: order.seed,
  heads: new Uint8Array(order.exchanges),
  victims: 0,
  trusted: 0,
  reused: 0,
  report(fault, text) {
    tell({ kind: 'fault', fault, text })
  },
}

const server = createServer({ allowHalfOpen: true }, (socket) => new OriginConnection(socket, ledger))
server.listen(0, '127.0.0.1', 4_096, () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') tell({ kind: 'listening', port: address.port })
})
process.on('message', () => {
  const { victims, trusted, reused } = ledger
  tell({ kind: 'tally', victims, reuse: reused / Math.max(1, trusted) })
})
process.on('disconnect', () => process.exit(0))
