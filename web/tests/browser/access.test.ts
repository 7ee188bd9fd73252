import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import axe, { type AxeResults } from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { EXAMPLE, content, open, screenshot, useFixtures } from './fixtures'

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }
const LOOKS: [name: string, options: BrowserContextOptions][] = [
  ['desk-light', { colorScheme: 'light' }],
  ['phone-dark', { ...PHONE, colorScheme: 'dark', locale: 'zh-CN' }],
]

const fixtures = useFixtures()

/** Returns the serious and critical findings of axe on the current page. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const results = (await page.evaluate('axe.run(document)')) as AxeResults
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`))
}

async function analyzeExample(page: Page): Promise<void> {
  await content(page, 'photo').locator('#file').setInputFiles(EXAMPLE)
  await content(page, 'photo').locator('.code').waitFor()
}

describe.each(LOOKS)('%s', (look, options) => {
  test.each([
    ['photo', async () => undefined],
    ['photo-result', analyzeExample],
    ['photo-crowd', async (page: Page) => {
      await content(page, 'photo').locator('.sample').last().click()
      await content(page, 'photo').locator('.face-button').nth(40).waitFor()
      await content(page, 'photo').locator('.face-button').first().click()
      await content(page, 'photo').locator('.aligned-face').nth(40).waitFor()
      await content(page, 'photo').locator('.choice-option').last().click()
    }],
    ['photo-error', async (page: Page) => {
      const buffer = readFileSync(EXAMPLE).subarray(0, 5000)
      await content(page, 'photo').locator('#file').setInputFiles({ name: 'x.jpg', mimeType: 'image/jpeg', buffer })
      await content(page, 'photo').getByRole('alert').waitFor()
      await content(page, 'photo').locator('.disclosure-label').click()
    }],
    ['camera', async () => undefined],
    ['models', (page: Page) => content(page, 'models').locator('[data-card="onet.onnx"]').waitFor()],
    ['privacy', async () => undefined],
  ])('%s has no serious findings', async (state, prepare) => {
    const name = state.split('-')[0]!
    const { page, errors } = await open(fixtures.browser, `${fixtures.service.url}/#/pages/${name}/index`, options)
    await content(page, name).waitFor()
    await prepare(page)
    await screenshot(page, `${look}-${state}`)
    expect(await findings(page)).toEqual([])
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
    expect(wide).toBe(false)
    expect(errors.filter((error) => !error.includes('422'))).toEqual([])
    await page.context().close()
  })
})

test('everything is reachable and operable by keyboard', async () => {
  const { page } = await open(fixtures.browser, fixtures.service.url)
  await content(page, 'photo').waitFor()
  const reached: string[] = []
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '')
  for (let i = 0; i < 17; i += 1) {
    await page.keyboard.press('Tab')
    reached.push(await focused())
  }
  expect(reached).toEqual([
    'Skip to content', 'Photo', 'Camera', 'Models', 'Privacy', '中文', 'Choose image',
    'Portrait', 'Rotated', 'Underexposed', 'Face mask', 'Crowd', 'Auto', '20 px', '40 px', '80 px', '160 px',
  ])
  await content(page, 'photo').getByRole('button', { name: 'Portrait' }).focus()
  await page.keyboard.press('Enter')
  await content(page, 'photo').locator('.count').waitFor()
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main-photo') // the pressed button is gone
  expect(await content(page, 'photo').getByRole('status').last().textContent()).toBe('1 face')
  await page.keyboard.press('Tab')
  expect(await focused()).toBe('Choose another image')

  const boxes = content(page, 'photo').getByRole('switch', { name: 'Boxes and scores' })
  await boxes.focus()
  await page.keyboard.press('Space')
  expect(await boxes.getAttribute('aria-checked')).toBe('false')
  const outline = await boxes.evaluate((element) => getComputedStyle(element).outlineWidth)
  expect(Number.parseFloat(outline)).toBeGreaterThan(1)
  await page.close()
})

test('the skip link skips the navigation', async () => {
  const { page } = await open(fixtures.browser, fixtures.service.url)
  await content(page, 'photo').waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main-photo')
  await page.close()
})

test('the language changes, survives a reload, and is set on the document', async () => {
  const { page } = await open(fixtures.browser, fixtures.service.url)
  await page.getByRole('button', { name: '中文' }).click()
  expect(await content(page, 'photo').locator('h1').textContent()).toBe('检测图片中的人脸')
  await page.reload()
  expect(await content(page, 'photo').locator('h1').textContent()).toBe('检测图片中的人脸')
  expect(await page.evaluate(() => [document.documentElement.lang, document.title])).toEqual(['zh-CN', '照片 · mien'])
  await page.close()
})

test('the window scrolls to the end of a long page', async () => {
  const { page } = await open(fixtures.browser, fixtures.service.url)
  await analyzeExample(page)
  await page.mouse.move(640, 500)
  await page.mouse.wheel(0, 5000)
  await page.waitForFunction(() => window.scrollY > 300)
  const json = await content(page, 'photo').locator('.code').boundingBox()
  expect(json!.y + json!.height).toBeLessThan(900)
  await page.close()
})

test('a new page starts at its top and takes the focus; a tab that comes back keeps its position', async () => {
  const { page } = await open(fixtures.browser, fixtures.service.url, PHONE)
  await analyzeExample(page)
  await page.evaluate(() => window.scrollTo(0, 400))
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  expect(await page.evaluate(() => window.scrollY)).toBe(400)
  await page.getByRole('link', { name: 'Models' }).first().click()
  await content(page, 'models').locator('[data-card="onet.onnx"]').waitFor()
  expect(await page.evaluate(() => [window.scrollY, document.activeElement?.id])).toEqual([0, 'main-models'])
  await page.context().close()
})

test('an unknown address leads to the first page', async () => {
  const { page } = await open(fixtures.browser, `${fixtures.service.url}/#/pages/none/index`)
  await content(page, 'photo').waitFor()
  await page.close()
})

test('a page keeps its state while another is shown', async () => {
  const { page } = await open(fixtures.browser, fixtures.service.url)
  await analyzeExample(page)
  await content(page, 'photo').locator('..').getByRole('link', { name: 'Privacy' }).click()
  await content(page, 'privacy').waitFor()
  expect(await content(page, 'photo').isVisible()).toBe(false)
  await page.goBack()
  await content(page, 'photo').locator('.code').waitFor()
  expect(await content(page, 'photo').isVisible()).toBe(true)
  await page.close()
})

test('files with a hash in their name are cached for ever, the page itself is revalidated', async () => {
  const context = await fixtures.browser.newContext()
  const page = await context.newPage()
  const cached = new Map<string, string>()
  page.on('response', (response) => cached.set(new URL(response.url()).pathname, response.headers()['cache-control'] ?? ''))
  await page.goto(fixtures.service.url, { waitUntil: 'networkidle' })
  expect(cached.get('/')).toBe('no-cache')
  cached.delete('/')
  expect(cached.size).toBeGreaterThan(5)
  expect([...cached].filter(([, control]) => !control.includes('immutable'))).toEqual([])
  await context.close()
})

test('the first load is below 300 kB gzip', async () => {
  const context = await fixtures.browser.newContext()
  const page = await context.newPage()
  const bodies: Promise<Buffer>[] = []
  page.on('response', (response) => bodies.push(response.body()))
  await page.goto(fixtures.service.url, { waitUntil: 'networkidle' })
  const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body).length)
  const sum = sizes.reduce((all, size) => all + size, 0)
  console.log(`first load: ${sizes.length} files, ${(sum / 1000).toFixed(1)} kB gzip`)
  expect(sum).toBeGreaterThan(20_000)
  expect(sum).toBeLessThan(300_000)
  await context.close()
})
