import type { Analysis } from '../../src/core/records'
import { jsonText } from '../../src/core/service'

const ANALYSIS: Analysis = {
  picture: 'a.jpg',
  width: 8,
  height: 6,
  faces: [{ box: [1, 2, 3.5, 4], score: 0.5, points: [[1, 2], [3, 4]], landmarks: undefined as never }],
  chips: [{ file: 'a_0.png', size: 144, to_picture: [[1, 0, 0], [0, 1, 0]], box: [1, 2, 3.5, 4], score: 0.5, png: 'AAAA' }],
}

test('the JSON to copy is that of the service without the bytes of the chips', () => {
  const text = jsonText(ANALYSIS)
  const { png: _, ...chip } = ANALYSIS.chips[0]!
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ ...ANALYSIS, chips: [chip] })))
})

test('a row of numbers is one line', () => {
  expect(jsonText(ANALYSIS)).toContain('"box": [1, 2, 3.5, 4]')
})
