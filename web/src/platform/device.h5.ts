import { zipSync } from 'fflate'
import { Problem } from '../core/problems'
import { languageOf } from '../locales'
import { imageOfFile } from './images.h5'
import { urlOf } from './transport.h5'
import type { Device } from './types'

const LANGUAGE = 'mien.language'

export const device: Device = {
  service: urlOf('/').replace(/\/$/, ''),
  host: window.location.host,
  mirrors: true,
  openSocket(path, events) {
    const socket = new WebSocket(urlOf(path).replace(/^http/, 'ws'))
    socket.onopen = () => events.opened()
    socket.onmessage = ({ data }) => events.message(String(data))
    socket.onclose = ({ code, reason }) => events.closed(code, reason)
    return {
      send: (data) => socket.readyState === WebSocket.OPEN && socket.send(data),
      close: () => socket.close(),
    }
  },
  language: () => languageOf(storedLanguage() ?? navigator.language),
  storeLanguage(language) {
    try {
      localStorage.setItem(LANGUAGE, language)
    } catch {
      // a browser without storage asks again next time
    }
  },
  setTitle(_texts, language, title) {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
    document.title = `${title} · mien`
  },
  async copy(text) {
    if (!(await copyByClipboard(text)) && !copyBySelection(text)) {
      throw new Problem('not-copied')
    }
  },
  async saveImage({ name, url }) {
    download(name, url)
    return false
  },
  async saveImages(images, name) {
    const entries = await Promise.all(images.map(async (image) => [image.name, await bytesOf(image.blob)] as const))
    const archive = zipSync(Object.fromEntries(entries), { level: 0 }) // PNG files do not shrink
    downloadBlob(`${name}.zip`, new Blob([archive], { type: 'application/zip' }))
    return false
  },
  saveText: (name, text) => downloadBlob(name, new Blob([text], { type: 'application/json' })),
  async openSample({ name, url }) {
    const response = await fetch(url).catch(() => {
      throw new Problem('unreachable')
    })
    return imageOfFile(await response.blob(), `${name}.jpg`)
  },
}

function download(name: string, url: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
}

function downloadBlob(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob)
  download(name, url)
  setTimeout(() => URL.revokeObjectURL(url), 60_000) // the download has started by then
}

async function bytesOf(blob: Blob | undefined): Promise<Uint8Array> {
  return new Uint8Array((await blob?.arrayBuffer()) ?? [])
}

function storedLanguage(): string | null {
  try {
    return localStorage.getItem(LANGUAGE)
  } catch {
    return null
  }
}

/** Browsers offer the clipboard only to pages served over HTTPS or from this computer. */
async function copyByClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  area.style.opacity = '0'
  document.body.append(area)
  area.select()
  const copied = document.execCommand('copy')
  area.remove()
  return copied
}
