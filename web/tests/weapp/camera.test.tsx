import CameraPage from '../../src/pages/camera'
import { zh } from '../../src/locales/zh'
import { native } from './components'
import { leave, press, settle, show, text } from './render'
import { hidePage } from './taro'
import { stubWx, type Behaviour } from './wx'

const RESPONSE = {
  frame: 0,
  width: 48,
  height: 64,
  dropped: 0,
  ms: 12,
  faces: [{ track: 0, box: [1, 2, 30, 40], score: 0.9, keypoints: null }],
}

afterEach(leave)

/** Renders the page with its camera running. */
async function running(changes: Partial<Behaviour> = {}) {
  const stub = stubWx(changes)
  await show(<CameraPage />)
  await press(zh.start)
  await settle(() => native.camera?.onInitDone?.({} as never))
  await settle(() => stub.frame(48, 64))
  await settle(stub.socket.open)
  return stub
}

test('frames are read after initdone, not before', async () => {
  const stub = stubWx()
  await show(<CameraPage />)
  expect(document.querySelector('[data-native=camera]')).toBeNull()
  await press(zh.start)
  expect(document.querySelector('[data-native=camera]')).not.toBeNull()
  expect(native.camera?.frameSize).toBe('medium')
  expect(stub.calls).not.toContain('startFrames')
  await settle(() => native.camera?.onInitDone?.({} as never))
  expect(stub.calls).toContain('startFrames')
})

test('consent and scope are requested before the camera is shown', async () => {
  const stub = await running()
  expect(stub.calls.indexOf('requirePrivacyAuthorize')).toBeLessThan(stub.calls.indexOf('authorize'))
  expect(stub.option.authorize).toEqual({ scope: 'scope.camera' })
  expect(stub.option.connectSocket).toEqual({ url: 'wss://faces.example/v1/stream?landmarks=true&fps=15&min_face_size=40' })
})

test('frames are sent as JPEG, faces are drawn, and at most two frames are in flight', async () => {
  const stub = await running()
  await settle(() => [1, 2, 3].forEach(() => stub.frame(48, 64)))
  expect(stub.socket.sent).toHaveLength(2)
  expect(new Uint8Array(stub.socket.sent[0] as ArrayBuffer)).toEqual(new Uint8Array([0xff, 0xd8, 0xff, 0xd9]))
  expect(stub.pen.put).toBe(2)
  await settle(() => stub.socket.message(JSON.stringify(RESPONSE)))
  expect(text('.count')).toBe(zh.oneFace)
  expect(stub.pen.strokes).toBe(2)
  await settle(() => stub.frame(48, 64))
  expect(stub.socket.sent).toHaveLength(3)
})

test.each([
  ['refused before', { camera: false }],
  ['refused now', { authorizes: false }],
])('the camera was %s: the settings are offered', async (_name, changes) => {
  const stub = await running(changes)
  expect(text('[role=alert]')).toContain(zh.problems['camera-refused'])
  expect(stub.calls).not.toContain('connectSocket')
  await press(zh.settings)
  expect(stub.calls).toContain('openSetting')
})

test('without consent neither scope nor camera is requested', async () => {
  const stub = await running({ privacy: 'refused' })
  expect(text('[role=alert]')).toContain(zh.problems['privacy-refused'])
  expect(stub.calls).not.toContain('authorize')
})

test.each([
  ['it is stopped', () => press(zh.stop)],
  ['another tab is shown', () => settle(hidePage)],
])('frames and stream end when %s', async (_name, end) => {
  const stub = await running()
  await end()
  expect(stub.calls).toEqual(expect.arrayContaining(['stopFrames', 'closeSocket']))
  expect(document.querySelector('[data-native=camera]')).toBeNull()
})

test('the other camera is not mirrored', async () => {
  const stub = await running()
  await settle(() => stub.frame(48, 64))
  await settle(() => stub.socket.message(JSON.stringify(RESPONSE)))
  expect(native.camera?.devicePosition).toBe('front')
  expect(stub.pen.left).toBeCloseTo((40 * (48 - 30)) / 48) // the canvas of the stub is 40 wide
  await press(zh.otherCamera)
  expect(native.camera?.devicePosition).toBe('back')
  expect(stub.pen.left).toBeCloseTo(40 / 48)
})

test('the stream is opened with the first frame, not before', async () => {
  const stub = stubWx()
  await show(<CameraPage />)
  await press(zh.start)
  await settle(() => native.camera?.onInitDone?.({} as never))
  expect(stub.calls).not.toContain('connectSocket')
  await settle(() => stub.frame(48, 64))
  expect(stub.calls.filter((call) => call === 'connectSocket')).toHaveLength(1)
})

test('a camera that stops by itself is reported', async () => {
  const stub = await running()
  await settle(() => native.camera?.onStop?.({} as never))
  expect(text('[role=alert]')).toContain(zh.problems['camera-stopped'])
  expect(stub.calls).toContain('closeSocket')
})

test('a stream that the service refuses is reported', async () => {
  const stub = await running()
  await settle(() => stub.socket.close(1013, 'busy'))
  expect(text('[role=alert]')).toContain(zh.problems.busy)
  expect(stub.calls).toContain('stopFrames')
})

test('another smallest face opens another stream', async () => {
  const stub = await running()
  await press('80 像素')
  expect(stub.calls.filter((call) => call === 'closeSocket')).toHaveLength(1)
  expect(stub.option.connectSocket).toEqual({ url: 'wss://faces.example/v1/stream?landmarks=true&fps=15&min_face_size=80' })
  expect(document.querySelector('[data-native=camera]')).not.toBeNull()
})
