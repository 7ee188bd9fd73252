import { Problem, type HttpResponse } from '../core/problems'
import type { OnProgress, PendingRequest, SelectedImage } from '../core/service'
import type { CreateTransport } from './types'

/** Returns the URL of a path of the service, which is next to this page, possibly below a prefix. */
export function urlOf(path: string): string {
  return new URL(`.${path}`, document.baseURI.replace(/#.*$/, '')).href
}

export const createTransport: CreateTransport = (key) => ({
  async get(path) {
    const headers = key() ? { 'X-API-Key': key() } : undefined
    const response = await fetch(urlOf(path), { headers }).catch(() => {
      throw new Problem('unreachable')
    })
    return { status: response.status, body: await response.text(), ...retryAfter(response.headers.get('Retry-After')) }
  },
  upload: (path, image, onProgress) => upload(path, image, onProgress, key()),
})

/** Uses XMLHttpRequest because fetch does not report upload progress. */
function upload(path: string, image: SelectedImage, onProgress: OnProgress, key: string): PendingRequest<HttpResponse> {
  const request = new XMLHttpRequest()
  const response = new Promise<HttpResponse>((resolve, reject) => {
    const form = new FormData()
    form.append('image', image.source as Blob, image.name)
    request.open('POST', urlOf(path))
    if (key) {
      request.setRequestHeader('X-API-Key', key)
    }
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0)
    request.upload.onload = () => onProgress(1)
    request.onload = () =>
      resolve({
        status: request.status,
        body: request.responseText,
        ...retryAfter(request.getResponseHeader('Retry-After')),
      })
    request.onerror = () => reject(new Problem('unreachable'))
    request.send(form)
  })
  return { response, cancel: () => request.abort() }
}

function retryAfter(header: string | null): { retryAfter?: number } {
  const seconds = Number.parseInt(header ?? '', 10)
  return Number.isFinite(seconds) ? { retryAfter: seconds } : {}
}
