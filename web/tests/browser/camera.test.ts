import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { drawnBoxes, iou, placedFace } from './pixels'
import { collage, content, launch, open, screenshot, useFixtures } from './fixtures'

const fixtures = useFixtures()

const PLACE = { x: 60, y: -20, scale: 1 }

/** Writes a video of the example image: a sequence of JPEGs, as Chromium's fake camera reads it. */
async function video(): Promise<string> {
  const frame = await collage(fixtures.browser, { width: 640, height: 480, places: [PLACE] })
  const path = join(mkdtempSync(join(tmpdir(), 'mien-')), 'face.mjpeg')
  writeFileSync(path, Buffer.concat(Array<Buffer>(10).fill(frame)))
  return path
}

async function cameraPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; errors: string[] }> {
  const opened = await open(browser, `${fixtures.service.url}/#/pages/camera/index`, options)
  await content(opened.page, 'camera').getByRole('button', { name: 'Start camera' }).click()
  return opened
}

test('a face is detected live and drawn at its place, with the frame rate', async () => {
  const browser = await launch(
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${await video()}`,
  )
  const { page, errors } = await cameraPage(browser)
  const camera = content(page, 'camera')
  await camera.locator('#live-overlay').waitFor()
  await page.waitForFunction(() => document.querySelector('#main-camera .count')?.textContent === '1 face')
  await page.waitForTimeout(6000)
  const meter = (await camera.locator('.meter').textContent()) ?? ''
  console.log(`camera page, 640 x 480: ${meter}`)
  expect(Number.parseFloat(meter)).toBeGreaterThan(1)
  await screenshot(page, 'desk-camera')

  await camera.getByRole('switch', { name: '68 landmarks' }).click() // the jaw is green, too
  const [x0, y0, x1, y1] = placedFace(PLACE)
  const boxes = await drawnBoxes(page, '#live-overlay', 640)
  expect(boxes).toHaveLength(1)
  expect(iou(boxes[0]!, [640 - x1, y0, 640 - x0, y1])).toBeGreaterThan(0.6) // mirrored

  await camera.getByRole('button', { name: 'Stop' }).click()
  expect(await page.evaluate(() => document.querySelector('video'))).toBeNull()
  expect(errors).toEqual([])
  await browser.close()
})

test('leaving the page stops the camera', async () => {
  const browser = await launch('--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream')
  const { page } = await cameraPage(browser)
  await content(page, 'camera').locator('video').waitFor()
  await page.waitForFunction(() => document.querySelector('video')?.srcObject)
  const live = await page.evaluateHandle(
    () => (document.querySelector('video')!.srcObject as MediaStream).getVideoTracks()[0]!,
  )
  await page.locator('#main-camera').locator('..').getByRole('link', { name: 'Privacy' }).click()
  await content(page, 'privacy').waitFor()
  await page.waitForFunction((track) => track.readyState === 'ended', live)
  await browser.close()
})

test('on a phone the camera can be switched; one runs at a time', async () => {
  const browser = await launch('--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream')
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
  const { page, errors } = await cameraPage(browser, phone)
  await page.waitForFunction(() => document.querySelector('.meter')?.textContent?.includes('frames/s'))
  const first = await page.evaluateHandle(
    () => (document.querySelector('video')!.srcObject as MediaStream).getVideoTracks()[0]!,
  )
  await screenshot(page, 'phone-camera')
  await content(page, 'camera').getByRole('button', { name: 'Switch camera' }).click()
  await page.waitForFunction((track) => track.readyState === 'ended', first)
  await page.waitForFunction((track) => {
    const [now] = (document.querySelector('video')!.srcObject as MediaStream | null)?.getVideoTracks() ?? []
    return now && now !== track && now.readyState === 'live'
  }, first)
  expect(errors).toEqual([])
  await browser.close()
})

test('a denied camera is reported', async () => {
  const browser = await launch('--use-fake-device-for-media-stream', '--deny-permission-prompts')
  const { page } = await cameraPage(browser)
  const alert = content(page, 'camera').getByRole('alert')
  await alert.waitFor()
  expect(await alert.getAttribute('data-code')).toBe('camera-refused')
  await browser.close()
})
