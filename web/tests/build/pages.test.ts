import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { zh } from '../../src/locales/zh'
import { rendered } from '../weapp/taro'
import { stubWx, type Behaviour, type Stub } from '../weapp/wx'
import { Bundle, settle } from './bundle'

const BUILT = join(__dirname, '../../dist/weapp')
const ANALYSIS = {
  image: 'face.jpg',
  ...{ width: 80, height: 60, faces: [{ box: [10, 10, 30, 30], score: 0.99, keypoints: null }] },
  aligned_faces: [{ file: 'face_0.png', size: 144, to_image: [[1, 0, 0], [0, 1, 0]], box: [10, 10, 30, 30], score: 0.99 }],
}

/** Starts the built mini-program. */
function start(changes: Partial<Behaviour> = {}): { bundle: Bundle; stub: Stub } {
  rendered.now = true
  const stub = stubWx(changes)
  return { bundle: new Bundle(BUILT, (globalThis as unknown as { wx: object }).wx), stub }
}

test.each([
  ['photo', [zh.photoTitle, zh.choose, zh.samplesTitle, zh.samples.crowd, zh.exampleCaption, zh.automatic]],
  ['camera', [zh.cameraTitle, zh.start]],
  ['models', [zh.modelsTitle, zh.problems['invalid-response']]],
  ['privacy', [zh.privacyTitle, ...zh.privacySections.map(([title]) => title)]],
])('the page %s renders', async (name, texts) => {
  const { bundle } = start()
  const page = await bundle.show(`pages/${name}/index`)
  for (const text of texts) {
    expect(page.text()).toContain(text)
  }
  await page.unload()
})

test('all four pages render in one run, as tabs do', async () => {
  const { bundle } = start()
  for (const [name, title] of [['photo', zh.photoTitle], ['camera', zh.cameraTitle], ['models', zh.modelsTitle], ['privacy', zh.privacyTitle]]) {
    expect((await bundle.show(`pages/${name}/index`)).text()).toContain(title)
  }
})

test('images on the start page are files of the package, or inline', async () => {
  const { bundle } = start()
  const page = await bundle.show('pages/photo/index')
  const sources = page.images()
  expect(sources).toHaveLength(6)
  for (const source of sources.filter((url) => !url.startsWith('data:'))) {
    expect(existsSync(join(BUILT, source))).toBe(true)
  }
})

test('an image is chosen, uploaded and analyzed', async () => {
  const { bundle, stub } = start({ body: JSON.stringify(ANALYSIS) })
  const page = await bundle.show('pages/photo/index')
  await page.tap(zh.choose)
  expect(stub.option.uploadFile).toMatchObject({ name: 'image', filePath: 'http://tmp/face.jpg' })
  stub.upload.finish()
  for (let turn = 0; turn < 50 && page.images().length < 2; turn += 1) {
    await settle()
  }
  expect(page.text()).toContain(zh.oneFace)
  expect(page.text()).toContain(zh.alignedFaces)
  expect(page.images()).toContainEqual(expect.stringMatching(/rendered\/\d+\.png$/))
})
