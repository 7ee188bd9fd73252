import Models from '../../src/pages/models'
import Privacy from '../../src/pages/privacy'
import { zh } from '../../src/locales/zh'
import { leave, press, show, text } from './render'
import { stubWx } from './wx'

const CARD = {
  ...{ name: 'onet', task: 'onet', input: { size: 48 }, parameters: 508191, license: 'MIT', training_data: 'WIDER FACE, train' },
  ...{ source: '', scores: { 'recall_at_0.01': 0.84371 }, file: 'onet.onnx', bytes: 2038784 },
}

afterEach(leave)

test('a card shows the task, training data, metrics and license of a network', async () => {
  const stub = stubWx({ body: JSON.stringify({ models: [CARD] }) })
  await show(<Models />)
  expect(stub.option.request).toMatchObject({ url: 'https://faces.example/v1/models' })
  for (const shown of [zh.tasks.onet!, 'WIDER FACE, train', '0.8437', 'MIT', '508,191', '1991 KiB']) {
    expect(text('[data-card="onet.onnx"]')).toContain(shown)
  }
})

test('if the cards cannot be loaded, there is an error and a way to retry', async () => {
  const stub = stubWx({ offline: true })
  await show(<Models />)
  expect(text('[role=alert]')).toContain(zh.problems.unreachable)
  await press(zh.retry)
  expect(stub.calls.filter((call) => call === 'request')).toHaveLength(2)
})

test('the privacy page names the service', async () => {
  stubWx()
  await show(<Privacy />)
  expect(text('.sections')).toContain('faces.example')
})
