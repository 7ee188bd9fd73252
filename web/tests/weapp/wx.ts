import { rendered } from './taro'

/** A stub of wx, typed by miniprogram-api-typings: it records each call, and behaves as the test configures it. */
type Wx = WechatMiniprogram.Wx
type Consent = (answer: { event: string; buttonId?: string }) => void

export interface Behaviour {
  /** Whether the user has consented before, is asked now, or declines. */
  privacy: 'agreed' | 'asked' | 'refused'
  /** Earlier decision about the camera; undefined if there is none. */
  camera: boolean | undefined
  /** Answer when asked for the camera. */
  authorizes: boolean
  image: string | undefined
  /** Error message if no image was chosen. */
  notChosen: string
  status: number
  body: string
  header: Record<string, string>
  /** There is no network. */
  offline: boolean
  albumRefused: boolean
}

const FINE: Behaviour = {
  privacy: 'agreed',
  camera: undefined,
  authorizes: true,
  image: 'http://tmp/face.jpg',
  notChosen: 'cancel',
  status: 200,
  body: '{}',
  header: {},
  offline: false,
  albumRefused: false,
}

export interface Stub {
  calls: string[]
  /** The argument of the latest call of a name. */
  option: Record<string, unknown>
  /** Reports upload progress, and completes it. */
  upload: { progress(percent: number): void; finish(): void }
  socket: { open(): void; message(data: string): void; close(code: number, reason: string): void; sent: unknown[] }
  frame(width: number, height: number): void
  /** Strokes since a canvas was resized, where the first of them begins, frames put and images drawn. */
  pen: { strokes: number; left: number; put: number; drawn: number; transforms: number[][] }
  /** What the privacy sheet reported to WeChat. */
  consent: string[]
}

export function stubWx(changes: Partial<Behaviour> = {}): Stub {
  const behaviour = { ...FINE, ...changes }
  const calls: string[] = []
  const option: Record<string, unknown> = {}
  const consent: string[] = []
  const pen = { strokes: 0, left: 0, put: 0, drawn: 0, transforms: [] as number[][] }
  const note = (name: string, given?: unknown) => {
    calls.push(name)
    option[name] = given
  }
  const upload = { progress: (_percent: number): void => undefined, finish: (): void => undefined }
  const socket: Stub['socket'] = { open: nothing, message: nothing, close: nothing, sent: [] }
  let frame = (_width: number, _height: number): void => undefined
  let listener: ((resolve: Consent) => void) | undefined

  const stub = {
    getAppBaseInfo: () => ({ language: 'zh_CN' }),
    getStorageSync: () => '',
    setStorageSync: (key: string, value: string) => note('setStorageSync', [key, value]),
    setNavigationBarTitle: (given: unknown) => note('setNavigationBarTitle', given),
    setTabBarItem: (given: unknown) => note('setTabBarItem', given),
    getWindowInfo: () => ({ pixelRatio: 2 }),
    env: { USER_DATA_PATH: 'wxfile://usr' },

    onNeedPrivacyAuthorization: (given: (resolve: Consent) => void) => (listener = given),
    requirePrivacyAuthorize: ({ success, fail }: { success(): void; fail(): void }) => {
      note('requirePrivacyAuthorize')
      if (behaviour.privacy === 'agreed') {
        return success()
      }
      if (behaviour.privacy === 'refused') {
        return fail()
      }
      listener?.(({ event, buttonId = '' }) => {
        consent.push(buttonId ? `${event} ${buttonId}` : event)
        if (event === 'agree') {
          success()
        } else if (event === 'disagree') {
          fail()
        }
      })
    },
    getSetting: async () => ({ authSetting: { 'scope.camera': behaviour.camera } }),
    authorize: async (given: unknown) => {
      note('authorize', given)
      if (!behaviour.authorizes) {
        throw { errMsg: 'authorize:fail auth deny' }
      }
    },
    openSetting: (given: unknown) => note('openSetting', given),

    chooseMedia: (given: { success(result: unknown): void; fail(result: unknown): void }) => {
      note('chooseMedia', given)
      if (behaviour.image) {
        given.success({ tempFiles: [{ tempFilePath: behaviour.image }] })
      } else {
        given.fail({ errMsg: `chooseMedia:fail ${behaviour.notChosen}` })
      }
    },
    getImageInfo: ({ success }: { success(result: unknown): void }) => success({ width: 80, height: 60 }),
    uploadFile: (given: { success(result: unknown): void; fail(result: unknown): void }) => {
      note('uploadFile', given)
      upload.finish = () =>
        behaviour.offline
          ? given.fail({ errMsg: 'uploadFile:fail url not in domain list' })
          : given.success({ statusCode: behaviour.status, data: behaviour.body, header: behaviour.header })
      return {
        abort: () => {
          note('abort')
          given.fail({ errMsg: 'uploadFile:fail abort' })
        },
        onProgressUpdate: (then: (update: { progress: number }) => void) =>
          (upload.progress = (progress) => then({ progress })),
      }
    },
    request: (given: { success(result: unknown): void; fail(result: unknown): void }) => {
      note('request', given)
      if (behaviour.offline) {
        given.fail({ errMsg: 'request:fail' })
      } else {
        given.success({ statusCode: behaviour.status, data: behaviour.body, header: behaviour.header })
      }
    },
    connectSocket: (given: unknown) => {
      note('connectSocket', given)
      return {
        onOpen: (then: () => void) => (socket.open = then),
        onMessage: (then: (message: { data: string }) => void) => (socket.message = (data) => then({ data })),
        onError: nothing,
        onClose: (then: (end: { code: number; reason: string }) => void) =>
          (socket.close = (code, reason) => then({ code, reason })),
        send: ({ data }: { data: unknown }) => socket.sent.push(data),
        close: () => note('closeSocket'),
      }
    },

    createCameraContext: () => ({
      onCameraFrame: (then: (given: { data: ArrayBuffer; width: number; height: number }) => void) => {
        frame = (width, height) => then({ data: new ArrayBuffer(4 * width * height), width, height })
        return { start: () => note('startFrames'), stop: () => note('stopFrames') }
      },
    }),
    base64ToArrayBuffer: (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64')).buffer,
    createSelectorQuery: () => {
      let there = false
      const query = {
        select: (selector: string) => {
          there = rendered.now || selector === '#frames' // the camera reports when it is ready
          return query
        },
        fields: () => query,
        exec: (then: (found: unknown[]) => void) => then([there ? { node: canvas(pen), width: 40, height: 30 } : null]),
      }
      return query
    },

    setClipboardData: async (given: unknown) => note('setClipboardData', given),
    getFileSystemManager: () => ({
      mkdirSync: (path: string) => note('mkdirSync', path),
      rmdirSync: (path: string) => note('rmdirSync', path),
      copyFileSync: (from: string, to: string) => note('copyFileSync', [from, to]),
      writeFileSync: (path: string) => note('writeFileSync', path),
      unlink: ({ filePath }: { filePath: string }) => note('unlink', filePath),
    }),
    saveImageToPhotosAlbum: async (given: unknown) => {
      note('saveImageToPhotosAlbum', given)
      if (behaviour.albumRefused) {
        throw { errMsg: 'saveImageToPhotosAlbum:fail auth deny' }
      }
    },
  } satisfies { [name in keyof Wx]?: unknown }
  Object.assign(globalThis, { wx: stub })
  return { calls, option, upload, socket, frame: (width, height) => frame(width, height), pen, consent }
}

function canvas(pen: Stub['pen']) {
  const context = new Proxy({} as Record<string, unknown>, {
    get: (_target, name) => {
      if (name === 'measureText') {
        return () => ({ width: 10 })
      }
      if (name === 'createImageData') {
        return (width: number, height: number) => ({ data: new Uint8ClampedArray(4 * width * height) })
      }
      return (...given: number[]) => {
        pen.left = name === 'moveTo' && pen.strokes === 0 ? given[0]! : pen.left
        pen.strokes += name === 'stroke' ? 1 : 0
        pen.put += name === 'putImageData' ? 1 : 0
        pen.drawn += name === 'drawImage' ? 1 : 0
        if (name === 'setTransform') {
          pen.transforms.push(given)
        }
      }
    },
    set: () => true,
  })
  return {
    set width(_: number) {
      pen.strokes = 0
    },
    height: 0,
    getContext: () => context,
    createImage: () => {
      const image = { onload: nothing, onerror: nothing }
      return Object.defineProperty(image, 'src', { set: () => void setTimeout(() => image.onload()) })
    },
    toDataURL: () => 'data:image/jpeg;base64,/9j/2Q==',
  }
}

function nothing(): void {
  return undefined
}
