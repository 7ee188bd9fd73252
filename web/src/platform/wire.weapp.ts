import { Problem, type Answer } from '../core/problems'
import type { Picture, Progress, Upload } from '../core/service'
import type { MakeWire } from './contract'

/** The service's address without a slash at its end; set when the mini-program is built (docs/wechat.md). */
declare const MIEN_SERVICE: string

export function url(path: string): string {
  return MIEN_SERVICE + path
}

export const wire: MakeWire = (key) => ({
  get: (path) =>
    new Promise((resolve, reject) => {
      wx.request({
        url: url(path),
        header: headers(key()),
        dataType: 'text',
        success: ({ statusCode, data, header }) => resolve(answer(statusCode, String(data), header)),
        fail: ({ errMsg }) => reject(new Problem('unreachable', errMsg)),
      })
    }),
  upload: (path, picture, progress) => upload(path, picture, progress, key()),
})

/** `success` of wx.uploadFile says only that there was an answer; what it was is told by its status. */
function upload(path: string, picture: Picture, progress: Progress, key: string): Upload<Answer> {
  let cancel = (): void => undefined
  let cancelled = false
  const arriving = new Promise<Answer>((resolve, reject) => {
    const task = wx.uploadFile({
      url: url(path),
      filePath: String(picture.source),
      name: 'picture',
      header: headers(key),
      success: (result) => resolve(answer(result.statusCode, result.data, 'header' in result ? result.header : {})),
      fail: ({ errMsg }) => cancelled || reject(new Problem('unreachable', errMsg)),
    })
    task.onProgressUpdate((update) => progress(update.progress / 100))
    cancel = () => {
      cancelled = true
      task.abort()
    }
  })
  return { answer: arriving, cancel: () => cancel() }
}

function headers(key: string): Record<string, string> {
  return key ? { 'X-API-Key': key } : {}
}

/** Phones differ in how they spell the names of headers. */
function answer(status: number, body: string, header: unknown): Answer {
  const entries = Object.entries((header ?? {}) as Record<string, string>)
  const seconds = Number.parseInt(entries.find(([name]) => name.toLowerCase() === 'retry-after')?.[1] ?? '', 10)
  return { status, body, ...(Number.isFinite(seconds) ? { retryAfter: seconds } : {}) }
}
