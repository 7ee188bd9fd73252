import Photo from '../../src/pages/photo'
import { zh } from '../../src/texts/zh'
import { leave, press, settle, show, text } from './page'
import { stubWx, type Behaviour, type Stub } from './wx'

const FACE = { box: [10, 10, 30, 30], score: 0.99, points: [[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]] }
const CHIP = { file: 'face_0.png', size: 144, to_picture: [], box: FACE.box, score: 0.99, png: 'AAAA' }
const CHIPS = [CHIP, { ...CHIP, file: 'face_1.png' }]
const FOUND = JSON.stringify({ picture: 'face.jpg', width: 80, height: 60, faces: [FACE, FACE], chips: CHIPS })
const TOO_MANY = '{"status": 413, "code": "too-many-bytes", "detail": "the request is longer than 10485760 bytes"}'

afterEach(leave)

/** The page after a picture was chosen and the service has answered. */
async function answered(changes: Partial<Behaviour>): Promise<Stub> {
  const stub = stubWx(changes)
  await show(<Photo />)
  await press(zh.choose)
  await settle(stub.upload.finish)
  return stub
}

test('status 413 is shown as an error although success was called', async () => {
  await answered({ status: 413, body: TOO_MANY })
  expect(text('[role=alert]')).toContain(zh.problems['too-many-bytes'])
  expect(text('[role=alert]')).toContain('10485760')
  expect(text('[role=alert]')).not.toContain(zh.retry) // the same file would fail again
  expect(document.querySelector('canvas')).toBeNull()
})

test('faces are counted and drawn, and cut out', async () => {
  const stub = stubWx({ body: FOUND })
  await show(<Photo />)
  await press(zh.shoot)
  expect(stub.option.chooseMedia).toMatchObject({ sourceType: ['camera'], mediaType: ['image'], count: 1 })
  await settle(stub.upload.finish)
  expect(stub.option.uploadFile).toMatchObject({
    url: 'https://faces.example/v1/analyze?landmarks=true&chips=true',
    filePath: 'http://tmp/face.jpg',
    name: 'picture',
  })
  expect(text('.count')).toBe('2 张人脸')
  expect(stub.pen.strokes).toBe(4) // two boxes, each with its shadow
  expect(document.querySelectorAll('.chip')).toHaveLength(2)
})

test('chips are shown from files, which go with the result: a page gets at most a megabyte at once', async () => {
  const stub = await answered({ body: FOUND })
  const shown = [...document.querySelectorAll('.chip img')].map((image) => image.getAttribute('src'))
  expect(shown).toHaveLength(2)
  expect(shown.every((path) => /^wxfile:\/\/usr\/chips\/\d+_\d\.png$/.test(path!))).toBe(true)
  const before = stub.calls.filter((call) => call === 'rmdirSync').length
  await press(zh.another)
  expect(stub.calls.filter((call) => call === 'rmdirSync')).toHaveLength(before + 1)
  expect(stub.option.rmdirSync).toBe('wxfile://usr/chips')
})

test('what is on its way can be cancelled, and ends nothing that comes after it', async () => {
  const stub = stubWx({ body: FOUND })
  await show(<Photo />)
  await press(zh.choose)
  const { finish } = stub.upload
  await press(zh.cancel)
  expect(stub.calls).toContain('abort')
  expect(document.querySelector('[role=alert]')).toBeNull()
  await settle(finish)
  expect(document.querySelector('.count')).toBeNull()
})

test('the picture that was chosen last is the one that is shown', async () => {
  const stub = stubWx({ body: FOUND })
  await show(<Photo />)
  await press(zh.choose)
  const first = stub.upload.finish
  await press(zh.another)
  expect(stub.calls.filter((call) => call === 'abort')).toHaveLength(1)
  await settle(first)
  expect(document.querySelector('.count')).toBeNull()
  await settle(stub.upload.finish)
  expect(text('.count')).toBe('2 张人脸')
})

test('a switch takes the boxes away', async () => {
  const stub = await answered({ body: FOUND })
  await press(zh.boxes)
  expect(stub.pen.strokes).toBe(0)
  expect(document.querySelector('[role=switch]')?.getAttribute('aria-checked')).toBe('false')
})

test('how far the upload is can be seen', async () => {
  const stub = stubWx({ body: FOUND })
  await show(<Photo />)
  await press(zh.choose)
  await settle(() => stub.upload.progress(37))
  expect(text('.main')).toContain('正在上传，37%')
  await settle(() => stub.upload.progress(100))
  expect(text('.main')).not.toContain('正在上传')
  expect(text('.main')).toContain(zh.looking)
})

test('no network is told, with what WeChat said', async () => {
  await answered({ offline: true })
  expect(text('[role=alert]')).toContain(zh.problems.unreachable)
  expect(text('[role=alert]')).toContain('domain list')
})

test('a busy service says when to come back, however the phone spells the header', async () => {
  const stub = await answered({ status: 503, body: '{"code": "busy"}', header: { 'retry-After': '7' } })
  expect(text('[role=alert]')).toContain('请在 7 秒后重试')
  await press(zh.retry)
  expect(stub.calls.filter((call) => call === 'uploadFile')).toHaveLength(2)
})

test('the person who goes back without a picture sees the page as it was', async () => {
  const stub = stubWx({ picture: undefined })
  await show(<Photo />)
  await press(zh.choose)
  expect(stub.calls).not.toContain('uploadFile')
  expect(document.querySelector('[role=alert]')).toBeNull()
})

test('a picture that WeChat does not give is told', async () => {
  stubWx({ picture: undefined, notChosen: 'auth deny' })
  await show(<Photo />)
  await press(zh.choose)
  expect(text('[role=alert]')).toContain(zh.problems['not-chosen'])
  expect(text('[role=alert]')).toContain('auth deny')
})

test('consent is asked before the first picture, and the sheet answers with its button', async () => {
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

test('without consent no picture is chosen', async () => {
  const stub = stubWx({ privacy: 'asked' })
  await show(<Photo />)
  await press(zh.shoot)
  await press(zh.disagree)
  expect(stub.calls).not.toContain('chooseMedia')
  expect(text('[role=alert]')).toContain(zh.problems['privacy-refused'])
})

test('a key that the service wants goes with the next upload', async () => {
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

test('a chip is saved to the album, and its file is gone afterwards', async () => {
  const stub = await answered({ body: FOUND })
  await press(zh.save)
  expect(stub.calls.slice(-3)).toEqual(['writeFileSync', 'saveImageToPhotosAlbum', 'unlink'])
  expect(text()).toContain(zh.saved)
})

test('all chips are saved one after the other', async () => {
  const stub = await answered({ body: FOUND })
  await press(zh.saveAll)
  expect(stub.calls.filter((call) => call === 'saveImageToPhotosAlbum')).toHaveLength(2)
  expect(stub.calls.filter((call) => call === 'unlink')).toHaveLength(2)
  expect(text()).toContain(zh.saved)
})

test('where the album is refused, the file is gone as well, and it is told', async () => {
  const stub = await answered({ body: FOUND, albumRefused: true })
  await press(zh.save)
  expect(stub.calls[stub.calls.length - 1]).toBe('unlink')
  expect(text('[role=alert]')).toContain(zh.problems['not-saved'])
  await press(zh.settings)
  expect(stub.calls).toContain('openSetting')
})

test('the JSON is copied', async () => {
  const stub = await answered({ body: FOUND })
  await press(zh.copy)
  const { data } = stub.option.setClipboardData as { data: string }
  expect(JSON.parse(data)).toMatchObject({ width: 80, faces: [FACE, FACE] })
  expect(text()).toContain(zh.copied)
})

test('the language is changed everywhere, and remembered', async () => {
  const stub = stubWx()
  await show(<Photo />)
  await press(zh.otherLanguage)
  expect(text('h1')).toBe('Find the faces in a picture')
  expect(stub.option.setStorageSync).toEqual(['mien.language', 'en'])
  expect(stub.option.setTabBarItem).toMatchObject({ index: 3, text: 'Privacy' })
})
