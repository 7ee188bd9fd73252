import { Problem } from '../core/problems'
import type { SelectedImage } from '../core/service'
import type { Sample } from '../samples'
import { askPrivacy } from './privacy.weapp'

/** Lets the user select or take a photo; returns undefined if they cancel. Throws if they do not consent. */
export async function chooseImage(from: 'album' | 'camera'): Promise<SelectedImage | undefined> {
  await askPrivacy()
  const path = await choosePath(from)
  return path === undefined ? undefined : imageOfPath(path)
}

/** Returns a sample, copied out of the package: uploads start from the program's own folder. */
export async function imageOfSample({ name, url }: Sample): Promise<SelectedImage> {
  await askPrivacy()
  const path = `${wx.env.USER_DATA_PATH}/${name}.jpg`
  try {
    wx.getFileSystemManager().copyFileSync(url, path)
  } catch (error) {
    throw new Problem('not-opened', (error as { errMsg?: string }).errMsg)
  }
  return imageOfPath(path)
}

/** Compressed photos are upright and below the limits of a service. WeChat reports cancelling as a failure. */
function choosePath(from: 'album' | 'camera'): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    wx.chooseMedia({
      count: 1,
      mediaType: ['image'],
      sourceType: [from],
      sizeType: ['compressed'],
      success: ({ tempFiles }) => resolve(tempFiles[0]?.tempFilePath),
      fail: ({ errMsg }) => (/cancel/.test(errMsg) ? resolve(undefined) : reject(new Problem('not-opened', errMsg))),
    })
  })
}

async function imageOfPath(path: string): Promise<SelectedImage> {
  const name = path.split('/').pop() || 'image'
  return { ...(await sizeOf(path)), name, url: path, source: path, release: () => undefined } // WeChat deletes the file
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
