import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startGateway } from '../support/gateway.ts'
import { until } from '../support/until.ts'
import { launchBrowser, openPage } from './chromium.ts'
import { keepAsking, type LiveStage, startLive } from './live-stage.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const FIRST_FIGURE = '.tile dd'
const OPEN_MS = 1_000
/** The quickest counts: other tests share the machine. */
const OPENINGS = 5
const DESK = { width: 1400, height: 900 }
const PHONE = { width: 390, height: 844 }

/** As much of axe's findings as is asserted. */
interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}

async function seriousViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE)
  const found = await page.evaluate<readonly Violation[]>('axe.run().then(({ violations }) => violations)')
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
}

/** Those that have to be scrolled sideways. */
async function tooWideTables(page: Page): Promise<readonly (string | null)[]> {
  const tables = await page.locator('.scroll').all()
  const isWide = await Promise.all(
    tables.map((table) => table.evaluate((element) => element.scrollWidth > element.clientWidth)),
  )
  return Promise.all(tables.filter((_, at) => isWide[at]).map((table) => table.getAttribute('aria-label')))
}

/** The first number of a text. */
function numberIn(text: string): number {
  return Number(/[\d.,]+/.exec(text)?.[0]?.replaceAll(',', ''))
}

describe('the live page', () => {
  let stage: LiveStage
  let stopAsking: () => Promise<void>

  before(async () => {
    stage = await startLive()
    stopAsking = keepAsking(stage.gateway.port)
    // In a checkout the first request builds the page.
    assert.equal((await fetch(stage.url)).status, 200)
  })

  after(async () => {
    await stopAsking()
    await stage[Symbol.asyncDispose]()
  })

  test('opens to live figures in under a second, from nowhere but the gateway, and follows them', async (t) => {
    const browser = await launchBrowser(t)
    const { page, complaints, hosts } = await openPage(browser, stage.url, { viewport: DESK })
    const openings: number[] = []
    for (let opening = 0; opening < OPENINGS; opening++) {
      const startMs = performance.now()
      await page.goto(stage.url)
      await page.waitForSelector(FIRST_FIGURE)
      openings.push(performance.now() - startMs)
    }
    t.diagnostic(`open after ${openings.map(Math.round).join(', ')} ms`)
    assert.ok(Math.min(...openings) < OPEN_MS, `${openings.join(', ')} ms`)
    const perSecond = (): Promise<string | null> => page.textContent(FIRST_FIGURE)
    await until('requests a second', async () => numberIn((await perSecond()) ?? '') > 0)
    const ofAcme = page
      .locator('section:has(> #tenants-title) tbody tr', { hasText: 'acme' })
      .locator('td')
      .nth(1)
    const first = numberIn((await ofAcme.textContent()) ?? '')
    await until('more requests', async () => numberIn((await ofAcme.textContent()) ?? '') > first)
    assert.deepEqual(complaints, [])
    assert.deepEqual([...hosts], [new URL(stage.url).host])
  })

  test('weighs less than 150 KB on the wire', async () => {
    const html = await (await fetch(stage.url)).text()
    const paths = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
    assert.ok(paths.length >= 2)
    let bytes = Buffer.byteLength(html)
    for (const path of paths)
      bytes += (await (await fetch(new URL(path, stage.url))).arrayBuffer()).byteLength
    assert.ok(bytes < 150_000, `${bytes} bytes, before any compression`)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`has no serious accessibility violation in ${colorScheme} colours`, async (t) => {
      const browser = await launchBrowser(t)
      // Axe is put into the page as a script, which the page's policy would refuse.
      const { page } = await openPage(browser, stage.url, { colorScheme, viewport: DESK, bypassCSP: true })
      await page.waitForSelector('section:has(> #failures-title) tbody tr')
      await page.waitForSelector('section:has(> #routes-title) tbody tr')
      assert.deepEqual(await seriousViolations(page), [])
      await page.click('section:has(> #failures-title) tbody button')
      await page.waitForSelector('dialog .explained h3')
      assert.deepEqual(await seriousViolations(page), [])
    })
  }

  test('fits a phone without scrolling sideways', async (t) => {
    const browser = await launchBrowser(t)
    const { page } = await openPage(browser, stage.url, { viewport: PHONE })
    await page.waitForSelector('section:has(> #failures-title) tbody tr')
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width)
    assert.deepEqual(await tooWideTables(page), [])
  })

  test('has every table whole on a desk', async (t) => {
    const browser = await launchBrowser(t)
    const { page } = await openPage(browser, stage.url, { viewport: DESK })
    await page.waitForSelector('section:has(> #routes-title) tbody tr')
    assert.deepEqual(await tooWideTables(page), [])
  })

  test('shows what a route carries', async (t) => {
    const browser = await launchBrowser(t)
    const { page } = await openPage(browser, stage.url)
    const row = page.locator('section:has(> #routes-title) tbody tr', { hasText: 'billing' })
    await row.getByText('100.0 %').waitFor()
  })

  test('opens a failure by keyboard and explains the request', async (t) => {
    const browser = await launchBrowser(t)
    const { page } = await openPage(browser, stage.url)
    const row = page.locator('section:has(> #failures-title) tbody tr', { hasText: '/nowhere/' }).first()
    await row.locator('button').focus()
    const focused = (): Promise<unknown> => page.evaluate('document.activeElement.textContent')
    const requestId = await focused()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('refused with 404 route_unknown').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    assert.equal(await focused(), requestId)
  })

  test('holds failures still while one of them has the focus', async (t) => {
    const browser = await launchBrowser(t)
    const { page } = await openPage(browser, stage.url)
    const first = page.locator('section:has(> #failures-title) tbody button').first()
    await first.focus()
    const id = await first.textContent()
    await page.getByText(/^Show \d+ newer$/).waitFor()
    assert.equal(await first.textContent(), id)
    await page.getByText(/^Show \d+ newer$/).click()
    await until('newer failures', async () => (await first.textContent()) !== id)
  })

  test('takes an endpoint out and back after asking', async (t) => {
    const browser = await launchBrowser(t)
    const { page, complaints } = await openPage(browser, stage.url)
    const row = page
      .locator('section:has(> #upstreams-title) tbody', { hasText: 'billing' })
      .locator('tr:not(.group)')
    await row.getByRole('button', { name: /^Drain/ }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click()
    await row.getByText('draining').waitFor()
    await row.getByRole('button', { name: /^Enable/ }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Enable' }).click()
    await row.getByText('in service').waitFor()
    assert.deepEqual(complaints, [])
  })

  test('reloads after asking, and says that nothing changed', async (t) => {
    const browser = await launchBrowser(t)
    const { page } = await openPage(browser, stage.url)
    await page.getByRole('button', { name: 'Reload config' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Reload' }).click()
    await page.getByText('Reloaded: nothing has changed.').waitFor()
  })

  test('hides the secrets of the config it shows', async (t) => {
    const browser = await launchBrowser(t)
    const { page } = await openPage(browser, stage.url)
    await page.getByText('In force, secrets hidden').click()
    await page.locator('pre', { hasText: '(secret)' }).waitFor()
    const secret = stage.settings['GATEWAY_JWT_SECRET'] ?? ''
    assert.ok(!(await page.textContent('pre'))?.includes(secret))
  })
})

test('says that the gateway drains, that it is gone, and comes back with the next one', async (t) => {
  const browser = await launchBrowser(t)
  const stage = await startLive({ GATEWAY_SHUTDOWN_DELAY: '3' })
  await using _stage = stage
  const { port, adminPort } = stage.gateway
  const { page, complaints } = await openPage(browser, stage.url)
  const status = page.locator('header [data-link]')
  await status.getByText('Ready').waitFor()
  await page.getByRole('button', { name: 'Drain', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click()
  await status.getByText('Draining').waitFor()
  assert.ok(await page.getByRole('button', { name: 'Reload config' }).isDisabled())
  assert.equal((await stage.gateway.exited).code, 0)
  await status.getByText('Reconnecting').waitFor()
  await page
    .locator('header')
    .getByText(/^Figures of \d\d:\d\d:\d\d\.$/)
    .waitFor()
  const own = { GATEWAY_PORT: String(port), GATEWAY_ADMIN_PORT: String(adminPort) }
  await using _next = await startGateway({ ...stage.settings, ...own }, { files: stage.files })
  await status.getByText('Ready').waitFor()
  assert.deepEqual(complaints, [])
})

test('with a token configured asks for it, keeps it for the tab, and shows nothing without it', async (t) => {
  const browser = await launchBrowser(t)
  await using stage = await startLive({ GATEWAY_ADMIN_TOKEN: 'correct-horse-battery' })
  const { page, complaints } = await openPage(browser, stage.url)
  const field = page.getByLabel('Admin token')
  await field.fill('wrong')
  await field.press('Enter')
  await page.getByText('That is not the token').waitFor()
  assert.equal(await page.locator(FIRST_FIGURE).count(), 0)
  await field.fill('correct-horse-battery')
  await field.press('Enter')
  await page.waitForSelector(FIRST_FIGURE)
  await page.reload()
  await page.waitForSelector(FIRST_FIGURE)
  assert.deepEqual(complaints, [])
})
