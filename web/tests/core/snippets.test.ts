import type { Analysis } from '../../src/core/records'
import { analyzePath, analyzeQuery } from '../../src/core/service'
import { curlSnippet, jsonSnippet, pythonSnippet, type SnippetInput } from '../../src/core/snippets'

const ANALYSIS: Analysis = {
  image: 'a.jpg',
  width: 8,
  height: 6,
  faces: [{ box: [1, 2, 3.5, 4], score: 0.5, keypoints: [[1, 2], [3, 4]] }],
  aligned_faces: [
    { file: 'a_0.png', size: 144, to_image: [[1, 0, 0], [0, 1, 0]], box: [1, 2, 3.5, 4], score: 0.5, png: 'AAAA' },
  ],
}
const INPUT: SnippetInput = { service: 'https://faces.example/v', name: 'a.jpg', options: {}, authenticated: false }

test('pixels of aligned faces are requested only if the platform cannot crop them', () => {
  expect(analyzePath(analyzeQuery({}))).toBe('/v1/analyze?landmarks=true&aligned_faces=true')
  expect(analyzePath(analyzeQuery({ minFaceSize: 40 }, true))).toBe(
    '/v1/analyze?landmarks=true&aligned_faces=true&png=true&min_face_size=40')
})

test('the JSON is the response without image data', () => {
  const { png: _, ...face } = ANALYSIS.aligned_faces![0]!
  expect(JSON.parse(jsonSnippet(ANALYSIS))).toEqual({ ...ANALYSIS, aligned_faces: [face] })
})

test('a row of numbers is on one line', () => {
  expect(jsonSnippet(ANALYSIS)).toContain('"box": [1, 2, 3.5, 4]')
})

test('curl repeats the request', () => {
  expect(curlSnippet(INPUT)).toBe(
    `curl \\\n  -F 'image=@"a.jpg"' \\\n  'https://faces.example/v/v1/analyze?landmarks=true&aligned_faces=true'`)
})

test('a name cannot leave its quotes', () => {
  expect(curlSnippet({ ...INPUT, name: `it's "a".jpg` })).toContain(`'image=@"it'\\''s \\"a\\".jpg"'`)
  expect(pythonSnippet({ ...INPUT, name: 'a"\n.jpg' })).toContain('analyze("a\\"\\n.jpg"')
})

test('options and the key are part of the snippets, the key as a variable', () => {
  const input = { ...INPUT, options: { minFaceSize: 80 }, authenticated: true }
  expect(curlSnippet(input)).toContain('min_face_size=80')
  expect(curlSnippet(input)).toContain('X-API-Key: $MIEN_API_KEY')
  expect(pythonSnippet(input)).toContain('min_face_size=80')
  expect(pythonSnippet(input)).toContain('key=os.environ["MIEN_API_KEY"]')
})
