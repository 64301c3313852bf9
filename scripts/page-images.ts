/** `npm run docs:images`: pictures of the live page at a gateway at work, as docs/ show them. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startBusy } from '../test/browser/busy-stage.ts'
import { openPage, startBrowser } from '../test/browser/chromium.ts'
import { ROOT } from './step.ts'

/** So that the curves and the minute of tenants and routes have something to show. */
const TRAFFIC_MS = 100_000
const DESK = { width: 1400, height: 1340 }
const PHONE = { width: 390, height: 844 }

const IMAGES = [
  { name: 'light', viewport: DESK, colorScheme: 'light' },
  { name: 'dark', viewport: DESK, colorScheme: 'dark' },
  { name: 'phone', viewport: PHONE, colorScheme: 'light' },
] as const

await using stage = await startBusy()
const browser = await startBrowser()
try {
  // In a checkout the first request builds the page.
  await fetch(stage.url)
  const pages = await Promise.all(
    IMAGES.map(async ({ name, ...options }) => ({
      name,
      page: (await openPage(browser, stage.url, options)).page,
    })),
  )
  await pause(TRAFFIC_MS)
  for (const { name, page } of pages) {
    await page.screenshot({ path: join(ROOT, 'docs', 'images', `live-page-${name}.png`) })
  }
} finally {
  await browser.close()
}
