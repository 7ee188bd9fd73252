import { draw, type OverlayOptions, type Pen } from './overlay'
import type { AlignedFace, Analysis, Matrix } from './records'

/** An image to compute from a decoded source image: a PNG file of `width` x `height` pixels. */
export interface Drawing {
  name: string
  width: number
  height: number
  paint(pen: ImagePen, source: CanvasImageSource): void
}

export type ImagePen = Pen & Pick<CanvasRenderingContext2D, 'drawImage' | 'setTransform' | 'imageSmoothingQuality'>

/** Canvases with more pixels fail on some phones. */
const MAX_PIXELS = 4096 * 4096

/** Long side, in pixels, for which overlays are designed; larger images get thicker lines. */
const DESIGN_SIDE = 1000

/** An aligned face, resampled from the source image. */
export function alignedDrawing({ file, size, to_image }: AlignedFace, { width, height }: Analysis): Drawing {
  const [[a, c, e], [b, d, f]] = inverse(to_image)
  return {
    name: file,
    width: size,
    height: size,
    paint(pen, source) {
      pen.fillStyle = '#000000' // what lies outside of the image
      pen.fillRect(0, 0, size, size)
      pen.imageSmoothingQuality = 'high'
      pen.setTransform(a, b, c, d, e, f)
      pen.drawImage(source, 0, 0, width, height)
    },
  }
}

/** The image with its overlay. */
export function annotatedDrawing(analysis: Analysis, options: OverlayOptions): Drawing {
  const scale = Math.min(1, Math.sqrt(MAX_PIXELS / (analysis.width * analysis.height)))
  const [width, height] = [Math.round(analysis.width * scale), Math.round(analysis.height * scale)]
  const ratio = Math.max(1, Math.max(width, height) / DESIGN_SIDE)
  return {
    name: `${stem(analysis.image)}_annotated.png`,
    width,
    height,
    paint(pen, source) {
      pen.drawImage(source, 0, 0, width, height)
      draw(pen, width / ratio, height / ratio, ratio, analysis, options)
    },
  }
}

/** The whole of a source image of `size` x `size` pixels. */
export function copyDrawing(name: string, size: number): Drawing {
  return { name, width: size, height: size, paint: (pen, source) => pen.drawImage(source, 0, 0, size, size) }
}

export function inverse([[a, b, x], [c, d, y]]: Matrix): Matrix {
  const determinant = a * d - b * c
  const [p, q, r, s] = [d / determinant, -b / determinant, -c / determinant, a / determinant]
  return [[p, q, -(p * x + q * y)], [r, s, -(r * x + s * y)]]
}

/** A file name without its extension. */
export function stem(name: string): string {
  return name.replace(/\.[^.]*$/, '') || 'image'
}
