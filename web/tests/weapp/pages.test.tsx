import Models from '../../src/pages/models'
import Privacy from '../../src/pages/privacy'
import { zh } from '../../src/texts/zh'
import { leave, press, show, text } from './page'
import { stubWx } from './wx'

const CARD = {
  ...{ name: 'onet', task: 'onet', input: { size: 48 }, parameters: 508191, license: 'MIT', training_data: 'WIDER FACE, train' },
  ...{ source: '', scores: { 'recall_at_0.01': 0.84371 }, file: 'onet.onnx', bytes: 2038784 },
}

afterEach(leave)

test('a card says what the network does, its data, scores and license', async () => {
  const stub = stubWx({ body: JSON.stringify({ models: [CARD] }) })
  await show(<Models />)
  expect(stub.option.request).toMatchObject({ url: 'https://faces.example/v1/models' })
  for (const said of [zh.tasks.onet!, 'WIDER FACE, train', '0.8437', 'MIT', '508,191', '1991 KiB']) {
    expect(text('[data-card="onet.onnx"]')).toContain(said)
  }
})

test('where the cards cannot be had, it is told and can be tried again', async () => {
  const stub = stubWx({ offline: true })
  await show(<Models />)
  expect(text('[role=alert]')).toContain(zh.problems.unreachable)
  await press(zh.retry)
  expect(stub.calls.filter((call) => call === 'request')).toHaveLength(2)
})

test('the privacy page names the service', async () => {
  stubWx()
  await show(<Privacy />)
  expect(text('.parts')).toContain('faces.example')
})
