import type { Problem } from '../../src/core/problems'
import { Rate } from '../../src/core/rate'
import { Stream, codeOfClose, type SocketEvents } from '../../src/core/stream'

const JPEG = new ArrayBuffer(3)

function started(key = '') {
  const sent: (ArrayBuffer | string)[] = []
  const [responses, problems] = [[] as [number, number][], [] as Problem[]]
  let events!: SocketEvents
  let path = ''
  let [now, closed] = [0, false]
  const stream = new Stream(
    (wanted, given) => {
      path = wanted
      events = given
      return { send: (data) => sent.push(data), close: () => (closed = true) }
    },
    { response: ({ frame }, waited) => responses.push([frame, waited]), problem: (problem) => problems.push(problem) },
    { minFaceSize: 40, key },
    () => now,
  )
  const reply = (frame: number) => events.message(JSON.stringify({ frame, width: 4, height: 3, faces: [] }))
  return { stream, sent, responses, problems, events, reply, at: (time: number) => (now = time), isClosed: () => closed, path }
}

test('the smallest face is part of the address', () => {
  expect(started().path).toBe('/v1/stream?landmarks=true&fps=15&min_face_size=40')
})

test('nothing is sent before the stream is open', () => {
  const { stream, sent } = started()
  stream.send(JPEG)
  expect(stream.ready).toBe(false)
  expect(sent).toEqual([])
})

test('two frames are in flight, a third waits for a response', () => {
  const { stream, sent, events, reply } = started()
  events.opened()
  stream.send(JPEG)
  stream.send(JPEG)
  stream.send(JPEG)
  expect(sent).toHaveLength(2)
  reply(0)
  expect(stream.ready).toBe(true)
})

test('frames dropped by the service are not awaited', () => {
  const { stream, sent, events, reply } = started()
  events.opened()
  stream.send(JPEG)
  stream.send(JPEG)
  reply(1)
  stream.send(JPEG)
  stream.send(JPEG)
  expect(sent).toHaveLength(4)
})

test('the delay is that of the answered frame', () => {
  const { stream, responses, events, reply, at } = started()
  events.opened()
  stream.send(JPEG)
  at(10)
  stream.send(JPEG)
  at(35)
  reply(1)
  expect(responses).toEqual([[1, 25]])
})

test('the key is sent first, as text', () => {
  const { sent, events } = started('open sesame')
  events.opened()
  expect(sent).toEqual(['{"key":"open sesame"}'])
})

test('a bad frame is reported, and the stream continues', () => {
  const { stream, problems, events } = started()
  events.opened()
  stream.send(JPEG)
  events.message('{"frame": 0, "error": {"status": 422, "code": "damaged-image", "detail": "cut short"}}')
  expect(problems).toMatchObject([{ code: 'damaged-image', detail: 'cut short' }])
  expect(stream.ready).toBe(true)
})

test('nothing is reported after closing', () => {
  const { stream, responses, problems, events, reply, isClosed } = started()
  events.opened()
  stream.send(JPEG)
  stream.close()
  reply(0)
  events.closed(1000, '')
  expect(isClosed()).toBe(true)
  expect([responses, problems]).toEqual([[], []])
})

test.each([
  [1008, 'unauthorized', 'unauthorized'],
  [1008, 'origin', 'origin'],
  [1013, 'too-many-requests', 'too-many-requests'],
  [1013, '', 'busy'],
  [1009, '', 'too-many-bytes'],
  [1006, '', 'unreachable'],
  [1001, 'idle', 'idle'],
  [1012, '', 'stream-ended'],
])('closed with %i %j: %s', (code, reason, expected) => expect(codeOfClose(code, reason)).toBe(expected))

test('the rate covers the last two seconds', () => {
  const rate = new Rate(2000)
  expect(rate.tick(0)).toBe(0)
  expect(rate.tick(100)).toBeCloseTo(10)
  for (let time = 5000; time < 7000; time += 50) {
    rate.tick(time)
  }
  expect(rate.tick(7000)).toBeCloseTo(20)
})
