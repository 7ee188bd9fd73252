import { Problem, type Answer } from '../core/problems'
import type { Picture, Progress, Upload } from '../core/service'
import type { MakeWire } from './contract'

/** A path of the service, beside this page: it may lie below a prefix. */
export function url(path: string): string {
  return new URL(`.${path}`, document.baseURI.replace(/#.*$/, '')).href
}

export const wire: MakeWire = (key) => ({
  async get(path) {
    const headers = key() ? { 'X-API-Key': key() } : undefined
    const response = await fetch(url(path), { headers }).catch(() => {
      throw new Problem('unreachable')
    })
    return { status: response.status, body: await response.text(), ...retry(response.headers.get('Retry-After')) }
  },
  upload: (path, picture, progress) => upload(path, picture, progress, key()),
})

/** By XMLHttpRequest, as fetch tells nothing about how far an upload has come. */
function upload(path: string, picture: Picture, progress: Progress, key: string): Upload<Answer> {
  const request = new XMLHttpRequest()
  const answer = new Promise<Answer>((resolve, reject) => {
    const form = new FormData()
    form.append('picture', picture.source as Blob, picture.name)
    request.open('POST', url(path))
    if (key) {
      request.setRequestHeader('X-API-Key', key)
    }
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0)
    request.upload.onload = () => progress(1)
    request.onload = () =>
      resolve({
        status: request.status,
        body: request.responseText,
        ...retry(request.getResponseHeader('Retry-After')),
      })
    request.onerror = () => reject(new Problem('unreachable'))
    request.send(form)
  })
  return { answer, cancel: () => request.abort() }
}

function retry(header: string | null): { retryAfter?: number } {
  const seconds = Number.parseInt(header ?? '', 10)
  return Number.isFinite(seconds) ? { retryAfter: seconds } : {}
}
