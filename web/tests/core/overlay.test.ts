import {
  degrees, draw, faceAt, faceNumbers, tagText, toCanvas, type OverlayOptions, type Pen,
} from '../../src/core/overlay'
import type { Box, Detections, Face, Point } from '../../src/core/records'

const NOTHING: OverlayOptions = { boxes: false, keypoints: false, landmarks: false, pose: false, mirror: false }
const KEYPOINTS: Point[] = [[12, 22], [18, 22], [15, 25], [12, 28], [18, 28]]
const FACE: Face = {
  box: [10, 10, 50, 40],
  score: 0.987,
  keypoints: KEYPOINTS,
  landmarks: {
    scheme: '68',
    points: Array.from({ length: 68 }, (_, i): Point => [i, 2 * i]),
    scores: [],
    pose: { yaw: -12.4, pitch: 3.6, roll: 0.2 },
  },
}
const detections = (...faces: Face[]): Detections => ({ width: 100, height: 50, faces })
const withBox = (...box: Box): Face => ({ ...FACE, box })

/** Records what a pen draws. */
function record() {
  const [lines, dots, words, rects] = [[] as Point[][], [] as Point[], [] as string[], [] as number[][]]
  const [widths, alphas] = [[] as number[], [] as number[]]
  const pen = {
    globalAlpha: 1,
    lineWidth: 0,
    ...{ save: jest.fn(), restore: jest.fn(), scale: jest.fn() },
    ...{ fill: jest.fn(), closePath: jest.fn() },
    stroke: () => {
      widths.push(pen.lineWidth)
      alphas.push(pen.globalAlpha)
    },
    fillRect: (...rect: number[]) => rects.push(rect),
    measureText: (text: string) => ({ width: 7 * text.length }),
    beginPath: () => lines.push([]),
    moveTo: (x: number, y: number) => lines[lines.length - 1]?.push([x, y]),
    lineTo: (x: number, y: number) => lines[lines.length - 1]?.push([x, y]),
    arc: (x: number, y: number) => dots.push([x, y]),
    fillText: (text: string) => words.push(text),
  }
  return { pen: pen as unknown as Pen, lines, dots, words, rects, widths, alphas }
}

/** Draws on a canvas twice as large as the image. */
function drawn(options: Partial<OverlayOptions>, ...faces: Face[]) {
  const { pen, lines, ...rest } = record()
  draw(pen, 200, 100, 1, detections(...faces), { ...NOTHING, ...options })
  return { ...rest, lines: lines.filter((line) => line.length) }
}

test('a box is drawn twice, outline and line, at the scale of the canvas', () => {
  const corners = [[20, 20], [100, 20], [100, 80], [20, 80]]
  expect(drawn({ boxes: true }, FACE).lines).toEqual([corners, corners])
})

test('mirroring flips left and right only', () => {
  expect(drawn({ boxes: true, mirror: true }, FACE).lines[0]).toEqual([[100, 20], [180, 20], [180, 80], [100, 80]])
  expect(toCanvas(detections(), 200, 100, true)([10, 20])).toEqual([180, 40])
})

test('nothing is drawn if all layers are off', () => {
  expect(drawn({}, FACE)).toMatchObject({ lines: [], dots: [], words: [] })
})

test('keypoints are dots with an outline', () => {
  const { dots } = drawn({ keypoints: true }, FACE)
  expect(dots.filter((_, i) => i % 2)).toEqual(KEYPOINTS.map(([x, y]) => [2 * x, 2 * y]))
})

test('68 landmarks are drawn as points and nine contours', () => {
  const { dots, lines } = drawn({ landmarks: true }, FACE)
  expect(dots).toHaveLength(2 * 68)
  expect(lines.map((line) => line.length)).toEqual([17, 5, 5, 4, 5, 6, 6, 12, 8])
})

test('without keypoints and landmarks there is only the box', () => {
  const bare: Face = { box: FACE.box, score: 1, keypoints: null }
  const all = { boxes: true, keypoints: true, landmarks: true, pose: true }
  expect(drawn(all, bare)).toMatchObject({ dots: [], words: ['1.00'] })
})

test('the best face is drawn last', () => {
  const second = withBox(60, 10, 95, 40)
  expect(drawn({ boxes: true }, FACE, second).words).toEqual(['2 · 0.99', '1 · 0.99'])
})

test('the tag shows what the layers show', () => {
  expect(tagText(FACE, '2', NOTHING)).toBe('')
  expect(tagText(FACE, '', { ...NOTHING, pose: true })).toBe('↔ -12° ↕ 4° ⟳ 0°')
  expect(tagText(FACE, '2', { ...NOTHING, boxes: true, pose: true })).toBe('2 · 0.99  ↔ -12° ↕ 4° ⟳ 0°')
})

test('several faces are numbered in the order of the list or, in a stream, by track', () => {
  expect(faceNumbers([FACE])).toEqual([''])
  expect(faceNumbers([FACE, FACE])).toEqual(['1', '2'])
  expect(faceNumbers([{ ...FACE, track: 4 }, { ...FACE, track: 0 }])).toEqual(['5', '1'])
})

test('small faces get thin boxes without outline, tags or landmark dots', () => {
  const crowd = Array.from({ length: 60 }, (_, i) => withBox(i, 0, i + 10, 12))
  const { words, dots, widths } = drawn({ boxes: true, landmarks: true }, ...crowd)
  expect(words).toEqual([])
  expect(dots).toEqual([])
  expect(Math.max(...widths)).toBeLessThanOrEqual(1)
})

test('a tag stays inside the image', () => {
  const { rects } = drawn({ boxes: true }, withBox(82, 20, 102, 40))
  expect(rects).toEqual([[200 - (7 * 4 + 12), 16, 7 * 4 + 12, 20]])
})

test('a tag covers no neighbour: it shrinks to the number, and moves into its own box', () => {
  const narrow = [withBox(0, 20, 21, 40), withBox(40, 20, 61, 40)]
  expect(drawn({ boxes: true }, ...narrow).words).toEqual(['2', '1'])
  const above = withBox(10, 0, 50, 21)
  const below = withBox(10, 22, 50, 48)
  const { words, rects } = drawn({ boxes: true }, above, below)
  expect(words).toEqual(['2', '1 · 0.99'].map((word, i) => (i ? expect.any(String) : word)))
  expect(rects[0]!.slice(0, 2)).toEqual([20, 44])
})

test('the selected face is drawn last and with its tag, the others fade', () => {
  const small = withBox(60, 10, 65, 15)
  const { words, lines, alphas } = drawn({ boxes: true, selected: 1 }, FACE, small)
  expect(lines[lines.length - 1]![0]).toEqual([120, 20])
  expect(words[words.length - 1]).toBe('2 · 0.99')
  expect(alphas).toEqual([0.4, 0.4, 1, 1])
})

test('a selected face has its box and tag even if boxes are off', () => {
  expect(drawn({ selected: 0 }, FACE)).toMatchObject({ words: ['0.99'] })
  expect(drawn({ selected: 0 }, FACE).lines).toHaveLength(2)
})

test('the face at a point is the smallest around it', () => {
  const faces = [withBox(0, 0, 50, 50), withBox(10, 10, 20, 20)]
  expect([[15, 15], [40, 40], [60, 60]].map((point) => faceAt(faces, point as Point))).toEqual([1, 0, undefined])
})

test('there is no -0°', () => {
  expect([-0.4, 0, -0.6, 89.5].map(degrees)).toEqual(['0°', '0°', '-1°', '90°'])
})
