import type { TestContext } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Debian's. */
export const CHROMIUM = '/usr/bin/chromium'

/** Root has no sandbox to give, and a browser that tests nothing of the network asks nothing of it. */
const OPTIONS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-extensions',
]

export interface OpenedPage {
  readonly page: Page
  /** Errors of scripts and of the page's policy, as they come. */
  readonly complaints: string[]
  /** Hosts the page asked anything of. */
  readonly hosts: Set<string>
}

/** Whoever starts it closes it. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: OPTIONS })
}

/** A browser with a profile of its own, closed after the test. */
export async function launchBrowser(t: TestContext): Promise<Browser> {
  const browser = await startBrowser()
  t.after(() => browser.close())
  return browser
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const profile = await browser.newContext(options)
  const page = await profile.newPage()
  const complaints: string[] = []
  const hosts = new Set<string>()
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // What cannot be reached during a restart, and a 401 before the login, the browser itself reports.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
      complaints.push(message.text())
  })
  page.on('request', (request) => hosts.add(new URL(request.url()).host))
  await page.goto(url)
  return { page, complaints, hosts }
}
