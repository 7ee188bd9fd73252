import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { drawnBoxes, overlap, placed } from './seen'
import { collage, here, launch, open, shoot, useWorld } from './world'

const world = useWorld()

const PLACE = { x: 60, y: -20, scale: 1 }

/** A video of the example's face: JPEG after JPEG, as Chromium's fake camera reads them. */
async function video(): Promise<string> {
  const frame = await collage(world.browser, { width: 640, height: 480, places: [PLACE] })
  const path = join(mkdtempSync(join(tmpdir(), 'mien-')), 'face.mjpeg')
  writeFileSync(path, Buffer.concat(Array<Buffer>(10).fill(frame)))
  return path
}

async function cameraPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const opened = await open(browser, `${world.service.url}/#/pages/camera/index`, options)
  await here(opened.page, 'camera').getByRole('button', { name: 'Start the camera' }).click()
  return opened
}

test('live: one face is found again and again, drawn where it is, with the rate beside it', async () => {
  const browser = await launch(
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${await video()}`,
  )
  const { page, complaints } = await cameraPage(browser)
  const camera = here(page, 'camera')
  await camera.locator('#live-overlay').waitFor()
  await page.waitForFunction(() => document.querySelector('#main-camera .count')?.textContent === 'One face')
  await page.waitForTimeout(6000)
  const meter = (await camera.locator('.meter').textContent()) ?? ''
  console.log(`camera page, 640 x 480: ${meter}`)
  expect(Number.parseFloat(meter)).toBeGreaterThan(1)
  await shoot(page, 'desk-camera')

  await camera.getByRole('switch', { name: '68 landmarks' }).click() // the jaw is green, too
  const [x0, y0, x1, y1] = placed(PLACE)
  const boxes = await drawnBoxes(page, '#live-overlay', 640)
  expect(boxes).toHaveLength(1)
  expect(overlap(boxes[0]!, [640 - x1, y0, 640 - x0, y1])).toBeGreaterThan(0.6) // shown as in a mirror

  await camera.getByRole('button', { name: 'Stop' }).click()
  expect(await page.evaluate(() => document.querySelector('video'))).toBeNull()
  expect(complaints).toEqual([])
  await browser.close()
})

test('leaving the page switches the camera off', async () => {
  const browser = await launch('--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream')
  const { page } = await cameraPage(browser)
  await here(page, 'camera').locator('video').waitFor()
  await page.waitForFunction(() => document.querySelector('video')?.srcObject)
  const live = await page.evaluateHandle(
    () => (document.querySelector('video')!.srcObject as MediaStream).getVideoTracks()[0]!,
  )
  await page.locator('#main-camera').locator('..').getByRole('link', { name: 'Privacy' }).click()
  await here(page, 'privacy').waitFor()
  await page.waitForFunction((track) => track.readyState === 'ended', live)
  await browser.close()
})

test('on a phone the other camera can be had; there is one at a time', async () => {
  const browser = await launch('--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream')
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
  const { page, complaints } = await cameraPage(browser, phone)
  await page.waitForFunction(() => document.querySelector('.meter')?.textContent?.includes('frames/s'))
  const first = await page.evaluateHandle(
    () => (document.querySelector('video')!.srcObject as MediaStream).getVideoTracks()[0]!,
  )
  await shoot(page, 'phone-camera')
  await here(page, 'camera').getByRole('button', { name: 'Other camera' }).click()
  await page.waitForFunction((track) => track.readyState === 'ended', first)
  await page.waitForFunction((track) => {
    const [now] = (document.querySelector('video')!.srcObject as MediaStream | null)?.getVideoTracks() ?? []
    return now && now !== track && now.readyState === 'live'
  }, first)
  expect(complaints).toEqual([])
  await browser.close()
})

test('a camera that is refused is told', async () => {
  const browser = await launch('--use-fake-device-for-media-stream', '--deny-permission-prompts')
  const { page } = await cameraPage(browser)
  const alert = here(page, 'camera').getByRole('alert')
  await alert.waitFor()
  expect(await alert.getAttribute('data-code')).toBe('camera-refused')
  await browser.close()
})
