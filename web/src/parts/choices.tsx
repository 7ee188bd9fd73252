import { createContext, useCallback, useContext, useMemo, useRef, useState, type PropsWithChildren } from 'react'
import type { Wire } from '../core/service'
import { device } from '../platform/device'
import { wire } from '../platform/wire'
import { TEXTS, type Language, type Texts } from '../texts'

/** What holds on all pages: the language, and the key of the service, which is kept nowhere else. */
interface Chosen {
  language: Language
  texts: Texts
  key(): string
  wire: Wire
  setLanguage(language: Language): void
  setKey(key: string): void
}

const Context = createContext<Chosen | null>(null)

export function Choices({ children }: PropsWithChildren) {
  const [language, setLanguage] = useState<Language>(device.language)
  const given = useRef('')
  const key = useCallback(() => given.current, [])
  const carrier = useMemo(() => wire(key), [key])
  const chosen = useMemo<Chosen>(
    () => ({
      language,
      texts: TEXTS[language],
      key,
      wire: carrier,
      setLanguage: (next) => {
        device.remember(next)
        setLanguage(next)
      },
      setKey: (next) => {
        given.current = next
      },
    }),
    [language, key, carrier],
  )
  return <Context.Provider value={chosen}>{children}</Context.Provider>
}

export function useChosen(): Chosen {
  const chosen = useContext(Context)
  if (!chosen) {
    throw new Error('a page is used outside of <Choices>')
  }
  return chosen
}
