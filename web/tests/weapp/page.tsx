import { act, type ReactElement } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { Choices } from '../../src/parts/choices'

let root: Root | undefined

/** Shows a page in an empty document. */
export async function show(page: ReactElement): Promise<void> {
  await leave()
  document.body.innerHTML = '<div id="root"></div>'
  root = createRoot(document.getElementById('root')!)
  await settle(() => root?.render(<Choices>{page}</Choices>))
}

export async function leave(): Promise<void> {
  await settle(() => root?.unmount())
  root = undefined
}

/** Does something and waits until nothing more follows from it. */
export async function settle(action: () => unknown = () => undefined): Promise<void> {
  for (const step of [action, () => undefined]) { // what is rendered may have to wait for a tick itself
    await act(async () => {
      await step()
      await new Promise((resolve) => setTimeout(resolve, 5))
    })
  }
}

export async function press(label: string): Promise<void> {
  const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === label)
  if (!button) {
    throw new Error(`no button ${label} in: ${document.body.textContent}`)
  }
  await settle(() => button.click())
}

export function text(selector = 'body'): string {
  return document.querySelector(selector)?.textContent ?? ''
}
