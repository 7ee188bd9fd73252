import { act, type ReactElement } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { AppProvider } from '../../src/components/AppContext'

let root: Root | undefined

/** Renders a page into an empty document. */
export async function show(page: ReactElement): Promise<void> {
  await leave()
  document.body.innerHTML = '<div id="root"></div>'
  root = createRoot(document.getElementById('root')!)
  await settle(() => root?.render(<AppProvider>{page}</AppProvider>))
}

export async function leave(): Promise<void> {
  await settle(() => root?.unmount())
  root = undefined
}

/** Performs an action and waits until its effects have settled. */
export async function settle(action: () => unknown = () => undefined): Promise<void> {
  for (const step of [action, nothing, nothing, nothing]) { // rendering may wait for a tick itself
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

function nothing(): void {
  return undefined
}
