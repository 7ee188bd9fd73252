import { useDidShow } from '@tarojs/taro'
import { useEffect, useRef, type MouseEvent } from 'react'
import type { NavigationProps, PageName } from './types'

export const NAVIGATION = 'top'

const PAGES: PageName[] = ['photo', 'camera', 'models', 'privacy']

/** Where the window was when a page was shown last: a tab that comes back to the front is shown again, too. */
let place = window.location.hash

/** The links to the pages, on top on a desk and at the thumb on a phone. True links: the way back works as anywhere. */
export function Navigation({ page, texts, children }: NavigationProps) {
  const focusMain = () => document.getElementById(`main-${page}`)?.focus({ preventScroll: true })
  useDidShow(() => {
    if (place !== window.location.hash) {
      place = window.location.hash
      window.scrollTo(0, 0)
      focusMain()
    }
  })
  useFocusKept(page, focusMain)
  const skip = (event: MouseEvent) => {
    event.preventDefault()
    focusMain()
  }
  return (
    <header className="header">
      <a className="skip" href={`#/pages/${page}/index`} onClick={skip}>{texts.skip}</a>
      <div className="brand">
        <span className="brand-mark" aria-hidden="true" />
        <span className="brand-name">mien</span>
      </div>
      <nav className="nav" aria-label={texts.pages}>
        {PAGES.map((name) => (
          <a key={name} href={`#/pages/${name}/index`} className={name === page ? 'nav-link nav-here' : 'nav-link'}
            aria-current={name === page ? 'page' : undefined}>
            {texts[name]}
          </a>
        ))}
      </nav>
      {children}
    </header>
  )
}

/** What had the focus may go when the page changes; the keyboard goes on from the page then, not from its top. */
function useFocusKept(page: PageName, focusMain: () => void): void {
  const inside = useRef(false)
  useEffect(() => {
    const onFocus = ({ target }: FocusEvent) => {
      inside.current = document.getElementById(`main-${page}`)?.contains(target as Node) ?? false
    }
    document.addEventListener('focusin', onFocus)
    return () => document.removeEventListener('focusin', onFocus)
  }, [page])
  useEffect(() => {
    if (inside.current && document.activeElement === document.body) {
      focusMain()
    }
  })
}
