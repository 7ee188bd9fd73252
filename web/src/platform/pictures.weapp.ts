import { Problem } from '../core/problems'
import type { Picture } from '../core/service'
import { askPrivacy } from './privacy.weapp'

/** The picture that a person chose or shot, or none where they went back. Throws where they do not agree to it. */
export async function choosePicture(from: 'album' | 'camera'): Promise<Picture | undefined> {
  await askPrivacy()
  const path = await chosenPath(from)
  return path === undefined ? undefined : { ...(await sizeOf(path)), name: nameOf(path), url: path, source: path, release: keep }
}

/** Compressed pictures are upright and below the limits of a service. To go back is a failure, too, for WeChat. */
function chosenPath(from: 'album' | 'camera'): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    wx.chooseMedia({
      count: 1,
      mediaType: ['image'],
      sourceType: [from],
      sizeType: ['compressed'],
      success: ({ tempFiles }) => resolve(tempFiles[0]?.tempFilePath),
      fail: ({ errMsg }) => (/cancel/.test(errMsg) ? resolve(undefined) : reject(new Problem('not-chosen', errMsg))),
    })
  })
}

function sizeOf(src: string): Promise<{ width: number; height: number }> {
  return new Promise((resolve) => {
    wx.getImageInfo({
      src,
      success: ({ width, height }) => resolve({ width, height }),
      fail: () => resolve({ width: 0, height: 0 }),
    })
  })
}

/** WeChat throws its temporary files away by itself. */
function keep(): void {
  return undefined
}

function nameOf(path: string): string {
  return path.split('/').pop() || 'picture'
}
