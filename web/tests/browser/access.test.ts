import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import axe, { type AxeResults } from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { EXAMPLE, collage, here, open, shoot, useWorld } from './world'

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }
const LOOKS: [name: string, options: BrowserContextOptions][] = [
  ['desk-light', { colorScheme: 'light' }],
  ['phone-dark', { ...PHONE, colorScheme: 'dark', locale: 'zh-CN' }],
]

const world = useWorld()

/** What axe finds serious or critical on the page as it is now. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const results = (await page.evaluate('axe.run(document)')) as AxeResults
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`))
}

async function photoShown(page: Page): Promise<void> {
  await here(page, 'photo').locator('#file').setInputFiles(EXAMPLE)
  await here(page, 'photo').locator('.json').waitFor()
}

describe.each(LOOKS)('%s', (look, options) => {
  test.each([
    ['photo', async () => undefined],
    ['photo-result', photoShown],
    ['photo-crowd', async (page: Page) => {
      const places = Array.from({ length: 8 }, (_, i) => ({ x: 256 * (i % 4), y: 256 * Math.floor(i / 4), scale: 0.5 }))
      const buffer = await collage(world.browser, { width: 1024, height: 512, places })
      await here(page, 'photo').locator('#file').setInputFiles({ name: 'x.jpg', mimeType: 'image/jpeg', buffer })
      await here(page, 'photo').locator('.face').nth(7).waitFor()
    }],
    ['photo-error', async (page: Page) => {
      const buffer = readFileSync(EXAMPLE).subarray(0, 5000)
      await here(page, 'photo').locator('#file').setInputFiles({ name: 'x.jpg', mimeType: 'image/jpeg', buffer })
      await here(page, 'photo').getByRole('alert').waitFor()
    }],
    ['camera', async () => undefined],
    ['models', (page: Page) => here(page, 'models').locator('[data-card="onet.onnx"]').waitFor()],
    ['privacy', async () => undefined],
  ])('%s has no serious findings', async (state, arrive) => {
    const name = state.split('-')[0]!
    const { page, complaints } = await open(world.browser, `${world.service.url}/#/pages/${name}/index`, options)
    await here(page, name).waitFor()
    await arrive(page)
    await shoot(page, `${look}-${state}`)
    expect(await findings(page)).toEqual([])
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
    expect(wide).toBe(false)
    expect(complaints.filter((complaint) => !complaint.includes('422'))).toEqual([])
    await page.context().close()
  })
})

test('everything can be reached and worked by keyboard', async () => {
  const { page } = await open(world.browser, world.service.url)
  await here(page, 'photo').waitFor()
  const reached: string[] = []
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '')
  for (let i = 0; i < 8; i += 1) {
    await page.keyboard.press('Tab')
    reached.push(await focused())
  }
  expect(reached).toEqual([
    'Skip to the content', 'Photo', 'Camera', 'Models', 'Privacy', '中文', 'Choose a picture', 'Try the example',
  ])
  await page.keyboard.press('Enter')
  await here(page, 'photo').locator('.count').waitFor()
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main-photo') // the button that was pressed is gone
  expect(await here(page, 'photo').getByRole('status').last().textContent()).toBe('One face')
  await page.keyboard.press('Tab')
  expect(await focused()).toBe('Another picture')

  const boxes = here(page, 'photo').getByRole('switch', { name: 'Boxes and scores' })
  await boxes.focus()
  await page.keyboard.press('Space')
  expect(await boxes.getAttribute('aria-checked')).toBe('false')
  const outline = await boxes.evaluate((element) => getComputedStyle(element).outlineWidth)
  expect(Number.parseFloat(outline)).toBeGreaterThan(1)
  await page.close()
})

test('the skip link leads past the links', async () => {
  const { page } = await open(world.browser, world.service.url)
  await here(page, 'photo').waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main-photo')
  await page.close()
})

test('the language is changed, kept over a reload, and told to the browser', async () => {
  const { page } = await open(world.browser, world.service.url)
  await page.getByRole('button', { name: '中文' }).click()
  expect(await here(page, 'photo').locator('h1').textContent()).toBe('找出照片中的人脸')
  await page.reload()
  expect(await here(page, 'photo').locator('h1').textContent()).toBe('找出照片中的人脸')
  expect(await page.evaluate(() => [document.documentElement.lang, document.title])).toEqual(['zh-CN', '照片 · mien'])
  await page.close()
})

test('the window scrolls: the end of a long page can be reached', async () => {
  const { page } = await open(world.browser, world.service.url)
  await photoShown(page)
  await page.mouse.move(640, 500)
  await page.mouse.wheel(0, 5000)
  await page.waitForFunction(() => window.scrollY > 300)
  const json = await here(page, 'photo').locator('.json').boundingBox()
  expect(json!.y + json!.height).toBeLessThan(900)
  await page.close()
})

test('another page begins at its top, with the keyboard on it; a tab that comes back stays where it was', async () => {
  const { page } = await open(world.browser, world.service.url, PHONE)
  await photoShown(page)
  await page.evaluate(() => window.scrollTo(0, 400))
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  expect(await page.evaluate(() => window.scrollY)).toBe(400)
  await page.getByRole('link', { name: 'Models' }).first().click()
  await here(page, 'models').locator('[data-card="onet.onnx"]').waitFor()
  expect(await page.evaluate(() => [window.scrollY, document.activeElement?.id])).toEqual([0, 'main-models'])
  await page.context().close()
})

test('an address that is none of ours leads to the first page', async () => {
  const { page } = await open(world.browser, `${world.service.url}/#/pages/none/index`)
  await here(page, 'photo').waitFor()
  await page.close()
})

test('a page that was left is as it was', async () => {
  const { page } = await open(world.browser, world.service.url)
  await photoShown(page)
  await here(page, 'photo').locator('..').getByRole('link', { name: 'Privacy' }).click()
  await here(page, 'privacy').waitFor()
  expect(await here(page, 'photo').isVisible()).toBe(false)
  await page.goBack()
  await here(page, 'photo').locator('.json').waitFor()
  expect(await here(page, 'photo').isVisible()).toBe(true)
  await page.close()
})

test('the first load is below 300 kB, gzip', async () => {
  const context = await world.browser.newContext()
  const page = await context.newPage()
  const bodies: Promise<Buffer>[] = []
  page.on('response', (response) => bodies.push(response.body()))
  await page.goto(world.service.url, { waitUntil: 'networkidle' })
  const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body).length)
  const sum = sizes.reduce((all, size) => all + size, 0)
  console.log(`first load: ${sizes.length} files, ${(sum / 1000).toFixed(1)} kB gzip`)
  expect(sum).toBeGreaterThan(20_000)
  expect(sum).toBeLessThan(300_000)
  await context.close()
})
