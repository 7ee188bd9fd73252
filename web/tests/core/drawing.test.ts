import { alignedDrawing, annotatedDrawing, inverse, stem, type ImagePen } from '../../src/core/drawing'
import type { Analysis, Matrix } from '../../src/core/records'

const TO_IMAGE: Matrix = [[2, -1, 10], [1, 2, 20]]
const ANALYSIS: Analysis = { image: 'group.photo.jpg', width: 8000, height: 6000, faces: [] }

function apply([[a, b, x], [c, d, y]]: Matrix, [u, v]: [number, number]): [number, number] {
  return [a * u + b * v + x, c * u + d * v + y]
}

test('the inverse undoes the transform', () => {
  const back = apply(inverse(TO_IMAGE), apply(TO_IMAGE, [3, -7]))
  expect(back[0]).toBeCloseTo(3)
  expect(back[1]).toBeCloseTo(-7)
})

test('an aligned face is the image under the inverse of to_image, black outside of it', () => {
  const calls: [string, unknown[]][] = []
  const pen = new Proxy({}, {
    get: (_, name: string) => (...given: unknown[]) => calls.push([name, given]),
    set: () => true,
  }) as unknown as ImagePen
  const face = { file: 'a_0.png', size: 112, to_image: TO_IMAGE, box: [0, 0, 1, 1] as [number, number, number, number], score: 1 }
  const drawing = alignedDrawing(face, ANALYSIS)
  const source = {} as CanvasImageSource
  drawing.paint(pen, source)
  expect([drawing.name, drawing.width, drawing.height]).toEqual(['a_0.png', 112, 112])
  expect(calls.map(([name]) => name)).toEqual(['fillRect', 'setTransform', 'drawImage'])
  const [[a, c, e], [b, d, f]] = inverse(TO_IMAGE)
  expect(calls[1]![1]).toEqual([a, b, c, d, e, f])
  expect(calls[2]![1]).toEqual([source, 0, 0, 8000, 6000])
})

test('an annotated image keeps its aspect ratio and fits a canvas', () => {
  const { name, width, height } = annotatedDrawing(ANALYSIS, { boxes: true, keypoints: false, landmarks: false, pose: false, mirror: false })
  expect(name).toBe('group.photo_annotated.png')
  expect(width * height).toBeLessThanOrEqual(4096 * 4096 * 1.001)
  expect(width / height).toBeCloseTo(8 / 6, 3)
})

test.each([['a.b.jpg', 'a.b'], ['a', 'a'], ['.jpg', 'image']])('the stem of %j is %j', (name, expected) => {
  expect(stem(name)).toBe(expected)
})
