import { Problem, type HttpResponse } from '../core/problems'
import type { OnProgress, PendingRequest, SelectedImage } from '../core/service'
import type { CreateTransport } from './types'

/** The address of the service without a trailing slash; set when the mini-program is built (docs/wechat.md). */
declare const MIEN_SERVICE: string

export function urlOf(path: string): string {
  return MIEN_SERVICE + path
}

export const createTransport: CreateTransport = (key) => ({
  get: (path) =>
    new Promise((resolve, reject) => {
      wx.request({
        url: urlOf(path),
        header: headers(key()),
        dataType: 'text',
        success: ({ statusCode, data, header }) => resolve(responseOf(statusCode, String(data), header)),
        fail: ({ errMsg }) => reject(new Problem('unreachable', errMsg)),
      })
    }),
  upload: (path, image, onProgress) => upload(path, image, onProgress, key()),
})

/** `success` of wx.uploadFile means only that there was a response, whatever its status. */
function upload(path: string, image: SelectedImage, onProgress: OnProgress, key: string): PendingRequest<HttpResponse> {
  let cancel = (): void => undefined
  let cancelled = false
  const response = new Promise<HttpResponse>((resolve, reject) => {
    const task = wx.uploadFile({
      url: urlOf(path),
      filePath: String(image.source),
      name: 'image',
      header: headers(key),
      success: (result) => resolve(responseOf(result.statusCode, result.data, 'header' in result ? result.header : {})),
      fail: ({ errMsg }) => cancelled || reject(new Problem('unreachable', errMsg)),
    })
    task.onProgressUpdate(({ progress }) => onProgress(progress / 100))
    cancel = () => {
      cancelled = true
      task.abort()
    }
  })
  return { response, cancel: () => cancel() }
}

function headers(key: string): Record<string, string> {
  return key ? { 'X-API-Key': key } : {}
}

/** Phones differ in the case of header names. */
function responseOf(status: number, body: string, header: unknown): HttpResponse {
  const entries = Object.entries((header ?? {}) as Record<string, string>)
  const seconds = Number.parseInt(entries.find(([name]) => name.toLowerCase() === 'retry-after')?.[1] ?? '', 10)
  return { status, body, ...(Number.isFinite(seconds) ? { retryAfter: seconds } : {}) }
}
