import { setTimeout as delay } from 'node:timers/promises'

/** Scrapes a gateway once a second, and prints a line for every page it got. Argument: port of the admin listener. */
const url = `http://127.0.0.1:${process.argv[2]}/metrics`
for (let nextMs = performance.now(); ; nextMs += 1_000) {
  await delay(Math.max(0, nextMs - performance.now()))
  const response = await fetch(url)
  const page = await response.text()
  if (response.ok && page.includes('nyro_requests_total')) process.stdout.write(`${page.length}\n`)
}
