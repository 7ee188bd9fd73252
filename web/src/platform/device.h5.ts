import { zipSync } from 'fflate'
import { Problem } from '../core/problems'
import { languageOf } from '../texts'
import type { Device } from './contract'
import { url } from './wire.h5'

const LANGUAGE = 'mien.language'

export const device: Device = {
  host: window.location.host,
  mirrors: true,
  openSocket(path, events) {
    const socket = new WebSocket(url(path).replace(/^http/, 'ws'))
    socket.onopen = () => events.opened()
    socket.onmessage = ({ data }) => events.message(String(data))
    socket.onclose = ({ code, reason }) => events.closed(code, reason)
    return {
      send: (data) => socket.readyState === WebSocket.OPEN && socket.send(data),
      close: () => socket.close(),
    }
  },
  language: () => languageOf(stored() ?? navigator.language),
  remember(language) {
    try {
      localStorage.setItem(LANGUAGE, language)
    } catch {
      // a browser that stores nothing asks again the next time
    }
  },
  name(_texts, language, title) {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
    document.title = `${title} · mien`
  },
  async copy(text) {
    if (!(await byClipboard(text)) && !bySelection(text)) {
      throw new Problem('not-copied')
    }
  },
  async save(chip) {
    return offer(chip.file, `data:image/png;base64,${chip.png}`)
  },
  async saveAll(chips, name) {
    const files = Object.fromEntries(chips.map(({ file, png }) => [file, bytesOf(png)]))
    const archive = new Blob([zipSync(files, { level: 0 })], { type: 'application/zip' }) // PNG does not shrink
    const address = URL.createObjectURL(archive)
    const told = offer(`${name.replace(/\.[^.]*$/, '')}_faces.zip`, address)
    setTimeout(() => URL.revokeObjectURL(address), 60_000) // the download has begun by then
    return told
  },
}

/** Lets the browser download; people see that it does. */
function offer(name: string, address: string): boolean {
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  return false
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
}

function stored(): string | null {
  try {
    return localStorage.getItem(LANGUAGE)
  } catch {
    return null
  }
}

/** Browsers have the clipboard only on pages that come over HTTPS or from this computer. */
async function byClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

function bySelection(text: string): boolean {
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
