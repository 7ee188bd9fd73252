import { Canvas } from '@tarojs/components'
import type { Drawing, ImagePen } from '../core/drawing'
import { Problem } from '../core/problems'
import { queryCanvasAfterRender } from './canvas.weapp'
import type { Component, RenderImages, RenderedImage } from './types'

const CANVAS = 'renderer'

/** The canvas on which images are rendered, out of sight. */
export const RendererCanvas: Component<object> = () => (
  <Canvas id={CANVAS} canvasId={CANVAS} type="2d" className="offscreen" />
)

/** Images become files, as WeChat passes at most 1 MB to a page at once. */
export const renderImages: RenderImages = async (source, drawings) => {
  const node = await queryCanvasAfterRender(CANVAS)
  if (!node) {
    throw new Problem('not-drawn')
  }
  const image = await load(node.canvas, source)
  return drawings.map((drawing) => render(node.canvas, image, drawing))
}

function load(canvas: WechatMiniprogram.Canvas, source: string): Promise<WechatMiniprogram.Image> {
  return new Promise((resolve, reject) => {
    const image = canvas.createImage()
    image.onload = () => resolve(image)
    image.onerror = () => reject(new Problem('not-drawn'))
    image.src = source
  })
}

let rendered = 0

function render(
  canvas: WechatMiniprogram.Canvas,
  source: WechatMiniprogram.Image,
  { name, width, height, paint }: Drawing,
): RenderedImage {
  canvas.width = width // resets the context, too
  canvas.height = height
  paint(canvas.getContext('2d') as unknown as ImagePen, source as unknown as CanvasImageSource)
  const base64 = canvas.toDataURL('image/png', 1).split(',')[1] ?? ''
  if (rendered === 0) {
    clearFolder()
  }
  rendered += 1 // WeChat caches images by path
  const url = `${folder()}/${rendered}.png`
  const files = wx.getFileSystemManager()
  files.writeFileSync(url, base64, 'base64')
  return { name, url, release: () => files.unlink({ filePath: url, fail: () => undefined }) }
}

/** Removes what an earlier run of the program left behind. */
function clearFolder(): void {
  const files = wx.getFileSystemManager()
  try {
    files.rmdirSync(folder(), true)
  } catch {
    // it does not exist
  }
  files.mkdirSync(folder(), true)
}

function folder(): string {
  return `${wx.env.USER_DATA_PATH}/rendered`
}
