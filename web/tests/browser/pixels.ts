import type { Page } from 'playwright-core'
import type { Box } from '../../src/core/records'
import type { Placement } from './fixtures'

/** The face in the example image, annotated by hand: from cheek to cheek, from the hairline to the chin. */
export const FACE: Box = [181, 78, 269, 178]

/** Returns the face of an example image that was pasted into another image. */
export function placedFace({ x, y, scale, flipped }: Placement): Box {
  const [x0, y0, x1, y1] = FACE
  const [left, right] = flipped ? [512 - x1, 512 - x0] : [x0, x1]
  return [x + left * scale, y + y0 * scale, x + right * scale, y + y1 * scale]
}

/** Returns the bounding boxes of the green shapes on the overlay, in image pixels: what was really drawn. */
export async function drawnBoxes(page: Page, canvas: string, width: number): Promise<Box[]> {
  const boxes = await page.evaluate(greenShapes, canvas)
  return boxes.map(([x0, y0, x1, y1, scale]) => {
    const ratio = width / scale!
    return [x0! * ratio, y0! * ratio, x1! * ratio, y1! * ratio]
  })
}

function greenShapes(selector: string): number[][] {
  const canvas = document.querySelector<HTMLCanvasElement>(selector)!
  const { width, height } = canvas
  const { data } = canvas.getContext('2d')!.getImageData(0, 0, width, height)
  const isGreen = (i: number) =>
    Math.abs(data[4 * i]! - 94) + Math.abs(data[4 * i + 1]! - 234) + Math.abs(data[4 * i + 2]! - 142) < 60
  const seen = new Uint8Array(width * height)
  const boxes: number[][] = []
  for (let start = 0; start < seen.length; start += 1) {
    if (seen[start] || !isGreen(start)) {
      continue
    }
    const box = [width, height, 0, 0, width]
    const left = [start]
    seen[start] = 1
    for (let i = left.pop(); i !== undefined; i = left.pop()) {
      const [x, y] = [i % width, Math.floor(i / width)]
      box[0] = Math.min(box[0]!, x)
      box[1] = Math.min(box[1]!, y)
      box[2] = Math.max(box[2]!, x)
      box[3] = Math.max(box[3]!, y)
      for (const next of [i - 1, i + 1, i - width, i + width]) {
        if (next >= 0 && next < seen.length && !seen[next] && isGreen(next)) {
          seen[next] = 1
          left.push(next)
        }
      }
    }
    boxes.push(box)
  }
  return boxes.filter(([x0, y0, x1, y1]) => x1! - x0! > 8 && y1! - y0! > 8)
}

/** Intersection over union. */
export function iou(a: Box, b: Box): number {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]))
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]))
  const area = ([x0, y0, x1, y1]: Box) => (x1 - x0) * (y1 - y0)
  return (width * height) / (area(a) + area(b) - width * height)
}
