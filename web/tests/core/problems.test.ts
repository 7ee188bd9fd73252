import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLIENT_CODES, Problem, SERVICE_CODES, parseResponse, toProblem } from '../../src/core/problems'
import { TEXTS } from '../../src/locales'

const thrown = (action: () => unknown): Problem => {
  try {
    action()
  } catch (error) {
    return toProblem(error)
  }
  throw new Error('nothing was thrown')
}

test('the codes are those of docs/serve.md', () => {
  const guide = readFileSync(join(__dirname, '../../../docs/serve.md'), 'utf-8')
  const section = guide.slice(guide.indexOf('## Errors'), guide.indexOf('## Stream'))
  const rows = section.split('\n').filter((line) => /^\| \d{3}/.test(line))
  const codes = rows.flatMap((row) => [...(row.split('|')[2] ?? '').matchAll(/`([a-z-]+)`/g)].map((match) => match[1]))
  expect([...SERVICE_CODES].sort()).toEqual([...codes].sort())
})

test.each(['en', 'zh'] as const)('each code has its own message: %s', (language) => {
  const sentences = [...SERVICE_CODES, ...CLIENT_CODES].map((code) => TEXTS[language].problems[code])
  expect(sentences.every((sentence) => sentence.length > 5)).toBe(true)
  expect(new Set(sentences).size).toBe(sentences.length)
})

test('a successful response is its JSON', () => {
  expect(parseResponse({ status: 200, body: '{"models": []}' })).toEqual({ models: [] })
})

test('a problem document has a code, a detail and a time to retry', () => {
  const body = '{"type": "/problems/busy", "status": 503, "code": "busy", "detail": "64 requests wait"}'
  const problem = thrown(() => parseResponse({ status: 503, body, retryAfter: 2 }))
  expect(problem).toMatchObject({ code: 'busy', detail: '64 requests wait', retryAfter: 2 })
})

test.each([
  [413, '<html>nginx</html>', 'too-many-bytes'],
  [502, '', 'unreachable'],
  [418, '{"code": "teapot"}', 'invalid-response'],
  [200, 'no JSON', 'invalid-response'],
])('status %i with the body %j is %s', (status, body, code) => {
  expect(thrown(() => parseResponse({ status, body })).code).toBe(code)
})
