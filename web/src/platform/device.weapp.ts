import { Problem } from '../core/problems'
import type { Chip } from '../core/records'
import { languageOf } from '../texts'
import type { Device } from './contract'
import { url } from './wire.weapp'

const LANGUAGE = 'mien.language'

export const device: Device = {
  host: url('').replace(/^https?:\/\//, ''),
  mirrors: false,
  openSocket(path, events) {
    const task = wx.connectSocket({ url: url(path).replace(/^http/, 'ws') })
    let failed = false
    task.onOpen(() => events.opened())
    task.onMessage(({ data }) => events.message(String(data)))
    task.onError(({ errMsg }) => {
      failed = true
      events.closed(1006, errMsg)
    })
    task.onClose(({ code, reason }) => failed || events.closed(code, reason))
    return {
      send: (data) => task.send({ data }),
      close: () => task.close({}),
    }
  },
  language: () => languageOf(String(wx.getStorageSync(LANGUAGE) || wx.getAppBaseInfo().language)),
  remember: (language) => wx.setStorageSync(LANGUAGE, language),
  name(texts, _language, title) {
    wx.setNavigationBarTitle({ title })
    const names = [texts.photo, texts.camera, texts.models, texts.privacy]
    names.forEach((text, index) => wx.setTabBarItem({ index, text, fail: ignore }))
  },
  async copy(data) {
    await wx.setClipboardData({ data }).catch(() => {
      throw new Problem('not-copied')
    })
  },
  save,
  async saveAll(chips) {
    for (const chip of chips) {
      await save(chip)
    }
    return true
  },
  openSettings: () => wx.openSetting({}),
}

/** Into the album, by way of a file that is gone afterwards. */
async function save({ file, png }: Chip): Promise<boolean> {
  const filePath = `${wx.env.USER_DATA_PATH}/${file}`
  const files = wx.getFileSystemManager()
  try {
    files.writeFileSync(filePath, png, 'base64')
    await wx.saveImageToPhotosAlbum({ filePath })
  } catch {
    throw new Problem('not-saved')
  } finally {
    files.unlink({ filePath, fail: ignore })
  }
  return true
}

/** For what may fail without anybody missing it. */
function ignore(): void {
  return undefined
}
