import { Problem } from '../core/problems'
import { languageOf } from '../locales'
import { imageOfSample } from './images.weapp'
import { urlOf } from './transport.weapp'
import type { Device, RenderedImage } from './types'

const LANGUAGE = 'mien.language'

export const device: Device = {
  service: urlOf(''),
  host: urlOf('').replace(/^https?:\/\//, ''),
  mirrors: false,
  openSocket(path, events) {
    const task = wx.connectSocket({ url: urlOf(path).replace(/^http/, 'ws') })
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
  storeLanguage: (language) => wx.setStorageSync(LANGUAGE, language),
  setTitle(texts, _language, title) {
    wx.setNavigationBarTitle({ title })
    const names = [texts.photo, texts.camera, texts.models, texts.privacy]
    names.forEach((text, index) => wx.setTabBarItem({ index, text, fail: () => undefined }))
  },
  async copy(data) {
    await wx.setClipboardData({ data }).catch(() => {
      throw new Problem('not-copied')
    })
  },
  saveImage: saveToAlbum,
  async saveImages(images) {
    for (const image of images) {
      await saveToAlbum(image)
    }
    return true
  },
  openSample: imageOfSample,
  openSettings: () => wx.openSetting({}),
}

async function saveToAlbum({ url }: RenderedImage): Promise<boolean> {
  await wx.saveImageToPhotosAlbum({ filePath: url }).catch(() => {
    throw new Problem('not-saved')
  })
  return true
}
