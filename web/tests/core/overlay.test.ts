import { degrees, draw, labelOf, namesOf, placing, type Pen, type Shown } from '../../src/core/overlay'
import type { Face, Found, Point } from '../../src/core/records'

const NOTHING: Shown = { boxes: false, points: false, landmarks: false, pose: false, mirror: false }
const FIVE: Point[] = [[12, 22], [18, 22], [15, 25], [12, 28], [18, 28]]
const FACE: Face = {
  box: [10, 20, 20, 30],
  score: 0.987,
  points: FIVE,
  landmarks: {
    scheme: '68',
    points: Array.from({ length: 68 }, (_, i): Point => [i, 2 * i]),
    scores: [],
    pose: { yaw: -12.4, pitch: 3.6, roll: 0.2 },
  },
}
const found = (...faces: Face[]): Found => ({ width: 100, height: 50, faces })

/** A pen that notes where it went. */
function notes() {
  const [lines, dots, words] = [[] as Point[][], [] as Point[], [] as string[]]
  const pen = {
    ...{ save: jest.fn(), restore: jest.fn(), scale: jest.fn(), clearRect: jest.fn(), fillRect: jest.fn() },
    ...{ stroke: jest.fn(), fill: jest.fn(), closePath: jest.fn() },
    measureText: (text: string) => ({ width: 7 * text.length }),
    beginPath: () => lines.push([]),
    moveTo: (x: number, y: number) => lines[lines.length - 1]?.push([x, y]),
    lineTo: (x: number, y: number) => lines[lines.length - 1]?.push([x, y]),
    arc: (x: number, y: number) => dots.push([x, y]),
    fillText: (text: string) => words.push(text),
  } as unknown as Pen
  return { pen, lines, dots, words }
}

function drawn(shown: Partial<Shown>, ...faces: Face[]) {
  const { pen, lines, dots, words } = notes()
  draw(pen, 200, 100, 1, found(...faces), { ...NOTHING, ...shown })
  return { lines: lines.filter((line) => line.length), dots, words }
}

test('a box is drawn twice, shadow and line, at twice the size on a canvas twice as large', () => {
  const corners = [[20, 40], [40, 40], [40, 60], [20, 60]]
  expect(drawn({ boxes: true }, FACE).lines).toEqual([corners, corners])
})

test('a mirror flips left and right and nothing else', () => {
  expect(drawn({ boxes: true, mirror: true }, FACE).lines[0]).toEqual([[160, 40], [180, 40], [180, 60], [160, 60]])
  expect(placing(found(), 200, 100, true)([10, 20])).toEqual([180, 40])
})

test('switched off, nothing is drawn', () => {
  expect(drawn({}, FACE)).toEqual({ lines: [], dots: [], words: [] })
})

test('five points, each with its shadow', () => {
  const { dots } = drawn({ points: true }, FACE)
  expect(dots.filter((_, i) => i % 2)).toEqual(FIVE.map(([x, y]) => [2 * x, 2 * y]))
})

test('68 landmarks: all points, and nine parts joined', () => {
  const { dots, lines } = drawn({ landmarks: true }, FACE)
  expect(dots).toHaveLength(2 * 68)
  expect(lines.map((line) => line.length)).toEqual([17, 5, 5, 4, 5, 6, 6, 12, 8])
})

test('a detector without points, and no landmarks, leave the box alone', () => {
  const bare: Face = { box: FACE.box, score: 1, points: null }
  expect(drawn({ boxes: true, points: true, landmarks: true, pose: true }, bare)).toMatchObject({
    dots: [],
    words: ['1.00'],
  })
})

test('the best face is drawn last', () => {
  const second: Face = { ...FACE, score: 0.5 }
  expect(drawn({ boxes: true }, FACE, second).words).toEqual(['2', '1'])
})

test('the label tells what is shown', () => {
  expect(labelOf(FACE, '2', NOTHING)).toBe('')
  expect(labelOf(FACE, '', { ...NOTHING, pose: true })).toBe('↔ -12° ↕ 4° ⟳ 0°')
  expect(labelOf(FACE, '2', { ...NOTHING, boxes: true, pose: true })).toBe('2 · 0.99  ↔ -12° ↕ 4° ⟳ 0°')
})

test('several faces have the numbers of the list or, in a stream, of their tracks', () => {
  expect(namesOf([FACE])).toEqual([''])
  expect(namesOf([FACE, FACE])).toEqual(['1', '2'])
  expect(namesOf([{ ...FACE, track: 4 }, { ...FACE, track: 0 }])).toEqual(['5', '1'])
})

test('a label stays inside the picture, and is the number alone where it would cover neighbours', () => {
  const faces = (x: number, side: number): Face[] => [0, 1].map(() => ({ ...FACE, box: [x, 20, x + side, 20 + side] }))
  expect(drawn({ boxes: true }, ...faces(10, 40)).words).toEqual(['2 · 0.99', '1 · 0.99'])
  expect(drawn({ boxes: true }, ...faces(10, 10)).words).toEqual(['2', '1'])
  const { pen } = notes()
  draw(pen, 200, 100, 1, found({ ...FACE, box: [90, 20, 100, 30] }), { ...NOTHING, boxes: true })
  expect(pen.fillRect).toHaveBeenCalledWith(200 - (7 * 4 + 12), 16, 7 * 4 + 12, 20)
})

test('there is no -0°', () => {
  expect([-0.4, 0, -0.6, 89.5].map(degrees)).toEqual(['0°', '0°', '-1°', '90°'])
})
