import Photo from '../../src/pages/photo'
import { zh } from '../../src/locales/zh'
import { leave, press, settle, show, text } from './render'
import { stubWx, type Behaviour, type Stub } from './wx'

const FACE = { box: [10, 10, 30, 30], score: 0.99, keypoints: [[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]] }
const TO_IMAGE = [[0.5, 0, 10], [0, 0.5, 20]]
const ALIGNED = { file: 'face_0.png', size: 144, to_image: TO_IMAGE, box: FACE.box, score: 0.99 }
const ANALYSIS = JSON.stringify({
  ...{ image: 'face.jpg', width: 80, height: 60, faces: [FACE, { ...FACE, box: [40, 10, 60, 30] }] },
  aligned_faces: [ALIGNED, { ...ALIGNED, file: 'face_1.png' }],
})
const TOO_MANY = '{"status": 413, "code": "too-many-bytes", "detail": "the request is longer than 10485760 bytes"}'

afterEach(leave)

/** Renders the page after an image was chosen and the service has responded. */
async function answered(changes: Partial<Behaviour>): Promise<Stub> {
  const stub = stubWx(changes)
  await show(<Photo />)
  await press(zh.choose)
  await settle(stub.upload.finish)
  return stub
}

test('status 413 is an error although success was called', async () => {
  await answered({ status: 413, body: TOO_MANY })
  expect(text('[role=alert]')).toContain(zh.problems['too-many-bytes'])
  expect(text('[role=alert]')).not.toContain(zh.retry) // the same file would fail again
  expect(text('[role=alert]')).not.toContain('10485760')
  await press(zh.technicalDetails)
  expect(text('[role=alert]')).toContain('10485760')
  expect(document.querySelector('#overlay')).toBeNull()
})

test('faces are counted and aligned', async () => {
  const stub = stubWx({ body: ANALYSIS })
  await show(<Photo />)
  await press(zh.takePhoto)
  expect(stub.option.chooseMedia).toMatchObject({ sourceType: ['camera'], mediaType: ['image'], count: 1 })
  await settle(stub.upload.finish)
  expect(stub.option.uploadFile).toMatchObject({
    url: 'https://faces.example/v1/analyze?landmarks=true&aligned_faces=true',
    filePath: 'http://tmp/face.jpg',
    name: 'image',
  })
  expect(text('.count')).toBe('2 张人脸')
  expect(document.querySelectorAll('.aligned-face')).toHaveLength(2)
})

test('aligned faces are cut out of the image on a canvas, by the inverse of to_image', async () => {
  const stub = await answered({ body: ANALYSIS })
  expect(stub.pen.transforms).toEqual([[2, 0, 0, 2, -20, -40], [2, 0, 0, 2, -20, -40]].map((row) => row.map((x) => x || expect.closeTo(0))))
  expect(stub.pen.drawn).toBe(2)
})

test('aligned faces are shown from files, as a page gets at most 1 MB at once; they are removed with the result', async () => {
  const stub = await answered({ body: ANALYSIS })
  const urls = [...document.querySelectorAll('.aligned-face img')].map((image) => image.getAttribute('src'))
  expect(urls).toHaveLength(2)
  expect(urls.every((path) => /^wxfile:\/\/usr\/rendered\/\d+\.png$/.test(path!))).toBe(true)
  const before = stub.calls.filter((call) => call === 'unlink').length
  await press(zh.chooseAnother)
  expect(stub.calls.filter((call) => call === 'unlink')).toHaveLength(before + 2)
  expect(stub.option.unlink).toBe(urls[1])
})

test('a face that is selected in the list is highlighted', async () => {
  const stub = await answered({ body: ANALYSIS })
  await press(zh.boxes) // boxes off
  expect(stub.pen.strokes).toBe(0)
  await settle(() => document.querySelector<HTMLElement>('.face-button')!.click())
  expect(stub.pen.strokes).toBe(2) // its box and the outline
  expect(document.querySelector('.face-button')!.getAttribute('aria-pressed')).toBe('true')
})

test('the smallest face is changed: the same image is analyzed again', async () => {
  const stub = await answered({ body: ANALYSIS })
  await press('40 像素')
  expect(stub.option.uploadFile).toMatchObject({ url: expect.stringContaining('&min_face_size=40'), filePath: 'http://tmp/face.jpg' })
  await settle(stub.upload.finish)
  expect(text('.count')).toBe('2 张人脸')
})

test('a sample is copied out of the package and uploaded', async () => {
  const stub = stubWx({ body: ANALYSIS })
  await show(<Photo />)
  await press(zh.samples.crowd)
  expect(stub.option.copyFileSync).toEqual([expect.stringContaining('crowd.jpg'), 'wxfile://usr/crowd.jpg'])
  expect(stub.option.uploadFile).toMatchObject({ filePath: 'wxfile://usr/crowd.jpg' })
})

test('the annotated image is saved to the album', async () => {
  const stub = await answered({ body: ANALYSIS })
  await press(zh.saveAnnotated)
  expect(stub.pen.drawn).toBe(3)
  expect(stub.option.saveImageToPhotosAlbum).toEqual({ filePath: expect.stringMatching(/rendered\/\d+\.png$/) })
  expect(text()).toContain(zh.saved)
})

test('an upload can be cancelled, without effect on later ones', async () => {
  const stub = stubWx({ body: ANALYSIS })
  await show(<Photo />)
  await press(zh.choose)
  const { finish } = stub.upload
  await press(zh.cancel)
  expect(stub.calls).toContain('abort')
  expect(document.querySelector('[role=alert]')).toBeNull()
  await settle(finish)
  expect(document.querySelector('.count')).toBeNull()
})

test('the image chosen last is shown', async () => {
  const stub = stubWx({ body: ANALYSIS })
  await show(<Photo />)
  await press(zh.choose)
  const first = stub.upload.finish
  await press(zh.chooseAnother)
  expect(stub.calls.filter((call) => call === 'abort')).toHaveLength(1)
  await settle(first)
  expect(document.querySelector('.count')).toBeNull()
  await settle(stub.upload.finish)
  expect(text('.count')).toBe('2 张人脸')
})

test('a switch hides the boxes', async () => {
  const stub = await answered({ body: ANALYSIS })
  await press(zh.boxes)
  expect(stub.pen.strokes).toBe(0)
  expect(document.querySelector('[role=switch]')?.getAttribute('aria-checked')).toBe('false')
})

test('upload progress is shown', async () => {
  const stub = stubWx({ body: ANALYSIS })
  await show(<Photo />)
  await press(zh.choose)
  await settle(() => stub.upload.progress(37))
  expect(text('.main')).toContain('正在上传，37%')
  await settle(() => stub.upload.progress(100))
  expect(text('.main')).not.toContain('正在上传')
  expect(text('.main')).toContain(zh.analyzing)
})

test('a missing network is reported, with the message of WeChat', async () => {
  await answered({ offline: true })
  expect(text('[role=alert]')).toContain(zh.problems.unreachable)
  await press(zh.technicalDetails)
  expect(text('[role=alert]')).toContain('domain list')
})

test('a busy service says when to retry, whatever the case of the header', async () => {
  const stub = await answered({ status: 503, body: '{"code": "busy"}', header: { 'retry-After': '7' } })
  expect(text('[role=alert]')).toContain('请在 7 秒后重试')
  await press(zh.retry)
  expect(stub.calls.filter((call) => call === 'uploadFile')).toHaveLength(2)
})

test('cancelling the choice leaves the page as it was', async () => {
  const stub = stubWx({ image: undefined })
  await show(<Photo />)
  await press(zh.choose)
  expect(stub.calls).not.toContain('uploadFile')
  expect(document.querySelector('[role=alert]')).toBeNull()
})

test('an image that WeChat does not provide is reported', async () => {
  stubWx({ image: undefined, notChosen: 'auth deny' })
  await show(<Photo />)
  await press(zh.choose)
  expect(text('[role=alert]')).toContain(zh.problems['not-opened'])
  await press(zh.technicalDetails)
  expect(text('[role=alert]')).toContain('auth deny')
})

test('consent is requested before the first image, by the button of the sheet', async () => {
  const stub = stubWx({ privacy: 'asked' })
  await show(<Photo />)
  expect(document.querySelector('.sheet')).toBeNull()
  await press(zh.choose)
  expect(text('.sheet')).toContain('faces.example')
  expect(stub.calls).not.toContain('chooseMedia')
  expect(document.getElementById('agree')?.dataset.openType).toBe('agreePrivacyAuthorization')
  await press(zh.agree)
  expect(stub.consent).toEqual(['exposureAuthorization', 'agree agree'])
  expect(stub.calls).toContain('chooseMedia')
  expect(document.querySelector('.sheet')).toBeNull()
})

test('without consent no image is chosen', async () => {
  const stub = stubWx({ privacy: 'asked' })
  await show(<Photo />)
  await press(zh.takePhoto)
  await press(zh.disagree)
  expect(stub.calls).not.toContain('chooseMedia')
  expect(text('[role=alert]')).toContain(zh.problems['privacy-refused'])
})

test('a key is sent with the next upload', async () => {
  const stub = await answered({ status: 401, body: '{"code": "unauthorized"}' })
  const field = document.querySelector('input')!
  await settle(() => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(field, 'sesame')
    field.dispatchEvent(new Event('input', { bubbles: true }))
  })
  await press(zh.keyUse)
  expect(stub.option.uploadFile).toMatchObject({ header: { 'X-API-Key': 'sesame' } })
  await settle(stub.upload.finish)
  await press(zh.keyUse) // the same key once more
  expect(stub.calls.filter((call) => call === 'uploadFile')).toHaveLength(3)
})

test('an aligned face is saved to the album', async () => {
  const stub = await answered({ body: ANALYSIS })
  await press(zh.save)
  expect(stub.option.saveImageToPhotosAlbum).toEqual({ filePath: expect.stringMatching(/rendered\/\d+\.png$/) })
  expect(text()).toContain(zh.saved)
})

test('all aligned faces are saved one after the other', async () => {
  const stub = await answered({ body: ANALYSIS })
  await press(zh.saveAll)
  expect(stub.calls.filter((call) => call === 'saveImageToPhotosAlbum')).toHaveLength(2)
  expect(text()).toContain(zh.saved)
})

test('a refused album is reported', async () => {
  const stub = await answered({ body: ANALYSIS, albumRefused: true })
  await press(zh.save)
  expect(text('[role=alert]')).toContain(zh.problems['not-saved'])
  await press(zh.settings)
  expect(stub.calls).toContain('openSetting')
})

test('the request is copied as curl and as Python', async () => {
  const stub = await answered({ body: ANALYSIS })
  await press(zh.curl)
  await press(zh.copy)
  expect(stub.option.setClipboardData).toEqual({ data: expect.stringContaining('https://faces.example/v1/analyze?') })
  await press(zh.python)
  await press(zh.copy)
  expect(stub.option.setClipboardData).toEqual({ data: expect.stringContaining('client.analyze("face.jpg"') })
})

test('the JSON is copied', async () => {
  const stub = await answered({ body: ANALYSIS })
  await press(zh.copy)
  const { data } = stub.option.setClipboardData as { data: string }
  expect(JSON.parse(data)).toMatchObject({ width: 80, faces: [FACE, { score: 0.99 }] })
  expect(text()).toContain(zh.copied)
})

test('the language changes everywhere, and is remembered', async () => {
  const stub = stubWx()
  await show(<Photo />)
  await press(zh.otherLanguage)
  expect(text('h1')).toBe('Detect faces in an image')
  expect(stub.option.setStorageSync).toEqual(['mien.language', 'en'])
  expect(stub.option.setTabBarItem).toMatchObject({ index: 3, text: 'Privacy' })
})
