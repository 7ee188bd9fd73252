import { createContext, useCallback, useContext, useMemo, useRef, useState, type PropsWithChildren } from 'react'
import type { Transport } from '../core/service'
import { TEXTS, type Language, type Texts } from '../locales'
import { device } from '../platform/device'
import { createTransport } from '../platform/transport'

/** State shared by all pages: the language, and the API key, which is kept in memory only. */
interface AppState {
  language: Language
  texts: Texts
  key(): string
  transport: Transport
  setLanguage(language: Language): void
  setKey(key: string): void
}

const AppContext = createContext<AppState | null>(null)

export function AppProvider({ children }: PropsWithChildren) {
  const [language, setLanguage] = useState<Language>(device.language)
  const storedKey = useRef('')
  const key = useCallback(() => storedKey.current, [])
  const transport = useMemo(() => createTransport(key), [key])
  const state = useMemo<AppState>(
    () => ({
      language,
      texts: TEXTS[language],
      key,
      transport,
      setLanguage: (next) => {
        device.storeLanguage(next)
        setLanguage(next)
      },
      setKey: (next) => {
        storedKey.current = next
      },
    }),
    [language, key, transport],
  )
  return <AppContext.Provider value={state}>{children}</AppContext.Provider>
}

export function useApp(): AppState {
  const state = useContext(AppContext)
  if (!state) {
    throw new Error('useApp is called outside of <AppProvider>')
  }
  return state
}
