import type { Drawing, ImagePen } from '../core/drawing'
import { Problem } from '../core/problems'
import type { Component, RenderImages, RenderedImage } from './types'

/** Browsers render off screen, without an element in the page. */
export const RendererCanvas: Component<object> = () => null

export const renderImages: RenderImages = async (source, drawings) => {
  const image = new Image()
  image.src = source
  await image.decode().catch(() => {
    throw new Problem('not-drawn')
  })
  return Promise.all(drawings.map((drawing) => render(image, drawing)))
}

async function render(source: HTMLImageElement, { name, width, height, paint }: Drawing): Promise<RenderedImage> {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const pen = canvas.getContext('2d')
  if (pen) {
    paint(pen satisfies ImagePen, source)
  }
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (!blob) {
    throw new Problem('not-drawn')
  }
  const url = URL.createObjectURL(blob)
  return { name, url, blob, release: () => URL.revokeObjectURL(url) }
}
