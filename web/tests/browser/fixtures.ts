import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'

const WEB = join(__dirname, '..', '..')
export const EXAMPLE = join(WEB, '..', 'examples', 'astronaut.jpg')
export const OUT = join(WEB, 'dist', 'screenshots')

/** A running service: the one at MIEN_URL, or one started by the command MIEN (default: mien). */
export interface Service {
  url: string
  stop(): void
}

export async function startService(...flags: string[]): Promise<Service> {
  const given = process.env.MIEN_URL
  if (given && flags.length === 0) {
    return { url: given, stop: () => undefined }
  }
  const port = await freePort()
  const child = spawn(process.env.MIEN ?? 'mien', ['serve', '--port', String(port), ...flags], { stdio: 'ignore' })
  started.push(child)
  const url = `http://127.0.0.1:${port}`
  await ready(url, child)
  return { url, stop: () => child.kill() }
}

const started: ChildProcess[] = []

/** A service and a browser, shared by the tests of a file. */
export interface Fixtures {
  service: Service
  browser: Browser
}

export function useFixtures(): Fixtures {
  const fixtures = {} as Fixtures
  beforeAll(async () => {
    ;[fixtures.service, fixtures.browser] = await Promise.all([startService(), launch()])
  })
  afterAll(async () => {
    await fixtures.browser?.close()
    started.forEach((child) => child.kill()) // including those of failed tests
  })
  return fixtures
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 240; tries += 1) {
    if (child.exitCode !== null) {
      throw new Error(`mien serve ended with ${child.exitCode}; is it installed, with its extra 'serve'?`)
    }
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    if (answer?.ok) {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error(`mien serve was not ready at ${url} within a minute`)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

export function launch(...args: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', ...args],
  })
}

/** Opens a page and collects errors: of scripts, and violations of the content security policy. */
export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; errors: string[] }> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  await page.goto(url)
  return { page, errors }
}

/** The content of a page; the pages of other tabs stay in the document. */
export function content(page: Page, name: string) {
  return page.locator(`#main-${name}`)
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(OUT, { recursive: true })
  await page.screenshot({ path: join(OUT, `${name}.png`), fullPage: true })
}

/** Where the example image is pasted: its upper left corner, its scale, and whether it is flipped. */
export interface Placement {
  x: number
  y: number
  scale: number
  flipped?: boolean
}

interface Collage {
  width: number
  height: number
  places: Placement[]
  /** Whether the pixels are stored as a phone held upright stores them: rotated by 90 degrees. */
  rotated?: boolean
}

/** Returns a JPEG of the example image pasted on grey, made by the browser. */
export async function collage(browser: Browser, wanted: Collage): Promise<Buffer> {
  const page = await browser.newPage()
  const example = `data:image/jpeg;base64,${readFileSync(EXAMPLE, 'base64')}`
  const base64 = await page.evaluate(paintCollage, { example, ...wanted })
  await page.close()
  return Buffer.from(base64, 'base64')
}

/** Adds an EXIF block: to be rotated by 90 degrees clockwise. */
export function withExifRotation(jpeg: Buffer): Buffer {
  const entry = Buffer.from('0112' + '0003' + '00000001' + '00060000', 'hex') // orientation, one short: 6
  const tiff = Buffer.concat([Buffer.from('4d4d002a00000008' + '0001', 'hex'), entry, Buffer.alloc(4)])
  const block = Buffer.concat([Buffer.from('ffe10022', 'hex'), Buffer.from('Exif\0\0'), tiff])
  return Buffer.concat([jpeg.subarray(0, 2), block, jpeg.subarray(2)])
}

async function paintCollage(given: Collage & { example: string }) {
  const image = new Image()
  image.src = given.example
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = given.rotated ? given.height : given.width
  canvas.height = given.rotated ? given.width : given.height
  const pen = canvas.getContext('2d')!
  const base = given.rotated ? new DOMMatrix([0, -1, 1, 0, 0, given.width]) : new DOMMatrix()
  pen.setTransform(base)
  pen.fillStyle = '#808080'
  pen.fillRect(0, 0, given.width, given.height)
  for (const { x, y, scale, flipped } of given.places) {
    const side = image.naturalWidth * scale
    pen.setTransform(base.multiply(new DOMMatrix([flipped ? -scale : scale, 0, 0, scale, flipped ? x + side : x, y])))
    pen.drawImage(image, 0, 0)
  }
  return canvas.toDataURL('image/jpeg', 0.92).split(',')[1]!
}
