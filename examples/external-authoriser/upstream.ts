import { createServer, type Server } from 'node:http'

/** A service that asks nobody: whoever gets here may. */
export function startUpstream(port: number): Promise<Server> {
  const server = createServer((request, response) => {
    response.end(`${request.method} ${request.url} done\n`)
  })
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)))
}

if (import.meta.main) await startUpstream(Number(process.argv[2] ?? 8081))
