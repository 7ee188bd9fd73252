import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OWN_CODES, Problem, SERVICE_CODES, asProblem, read } from '../../src/core/problems'
import { TEXTS } from '../../src/texts'

const thrown = (action: () => unknown): Problem => {
  try {
    action()
  } catch (error) {
    return asProblem(error)
  }
  throw new Error('nothing was thrown')
}

test('the codes are those that the service documents', () => {
  const guide = readFileSync(join(__dirname, '../../../docs/serve.md'), 'utf-8')
  const section = guide.slice(guide.indexOf('## Errors'), guide.indexOf('## Stream'))
  const rows = section.split('\n').filter((line) => /^\| \d{3}/.test(line))
  const codes = rows.flatMap((row) => [...(row.split('|')[2] ?? '').matchAll(/`([a-z-]+)`/g)].map((match) => match[1]))
  expect([...SERVICE_CODES].sort()).toEqual([...codes].sort())
})

test.each(['en', 'zh'] as const)('each code has a sentence of its own: %s', (language) => {
  const sentences = [...SERVICE_CODES, ...OWN_CODES].map((code) => TEXTS[language].problems[code])
  expect(sentences.every((sentence) => sentence.length > 5)).toBe(true)
  expect(new Set(sentences).size).toBe(sentences.length)
})

test('an answer that went well is its JSON', () => {
  expect(read({ status: 200, body: '{"models": []}' })).toEqual({ models: [] })
})

test('a problem document gives its code, its detail and when to come back', () => {
  const body = '{"type": "/problems/busy", "status": 503, "code": "busy", "detail": "64 requests wait"}'
  const problem = thrown(() => read({ status: 503, body, retryAfter: 2 }))
  expect(problem).toMatchObject({ code: 'busy', detail: '64 requests wait', retryAfter: 2 })
})

test.each([
  [413, '<html>nginx</html>', 'too-many-bytes'],
  [502, '', 'unreachable'],
  [418, '{"code": "teapot"}', 'strange-answer'],
  [200, 'no JSON', 'strange-answer'],
])('status %i with the body %j is %s', (status, body, code) => {
  expect(thrown(() => read({ status, body })).code).toBe(code)
})
