import { rendered } from './taro'

/** A stub of wx, typed by miniprogram-api-typings: each call is noted, and behaves as the test says. */
type Wx = WechatMiniprogram.Wx
type Consent = (answer: { event: string; buttonId?: string }) => void

export interface Behaviour {
  /** Whether the person agreed long ago, is asked now, or refuses. */
  privacy: 'agreed' | 'asked' | 'refused'
  /** What the person said about the camera before; undefined where nobody asked. */
  camera: boolean | undefined
  /** What they say when they are asked. */
  authorizes: boolean
  picture: string | undefined
  /** What WeChat says where no picture was chosen. */
  notChosen: string
  status: number
  body: string
  header: Record<string, string>
  /** The network is gone. */
  offline: boolean
  albumRefused: boolean
}

const FINE: Behaviour = {
  privacy: 'agreed',
  camera: undefined,
  authorizes: true,
  picture: 'http://tmp/face.jpg',
  notChosen: 'cancel',
  status: 200,
  body: '{}',
  header: {},
  offline: false,
  albumRefused: false,
}

export interface Stub {
  calls: string[]
  /** The option of the newest call of a name. */
  option: Record<string, unknown>
  /** Tells how far the upload is, and ends it. */
  upload: { progress(percent: number): void; finish(): void }
  socket: { open(): void; message(data: string): void; close(code: number, reason: string): void; sent: unknown[] }
  frame(width: number, height: number): void
  /** Strokes since a canvas was cleared, how far left the first of them begins, and pictures put onto one. */
  pen: { strokes: number; left: number; put: number }
  /** What our sheet answered to WeChat. */
  consent: string[]
}

export function stubWx(changes: Partial<Behaviour> = {}): Stub {
  const behaviour = { ...FINE, ...changes }
  const calls: string[] = []
  const option: Record<string, unknown> = {}
  const consent: string[] = []
  const pen = { strokes: 0, left: 0, put: 0 }
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
      if (behaviour.picture) {
        given.success({ tempFiles: [{ tempFilePath: behaviour.picture }] })
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
          there = rendered.now || selector === '#frames' // the camera tells when it is ready
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
      return (x: number) => {
        pen.left = name === 'moveTo' && pen.strokes === 0 ? x : pen.left
        pen.strokes = name === 'clearRect' ? 0 : pen.strokes + (name === 'stroke' ? 1 : 0)
        pen.put += name === 'putImageData' ? 1 : 0
      }
    },
    set: () => true,
  })
  return { width: 0, height: 0, getContext: () => context, toDataURL: () => 'data:image/jpeg;base64,/9j/2Q==' }
}

function nothing(): void {
  return undefined
}
