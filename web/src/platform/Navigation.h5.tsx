import { useDidShow } from '@tarojs/taro'
import type { MouseEvent } from 'react'
import type { NavigationProps } from './contract'

export const NAVIGATION = 'top'

const PAGES = ['photo', 'camera', 'models', 'privacy'] as const

/** The links to the pages, on top on a desk and at the thumb on a phone. True links: the way back works as anywhere. */
export function Navigation({ page, texts, children }: NavigationProps) {
  useDidShow(() => window.scrollTo(0, 0))
  const skip = (event: MouseEvent) => {
    event.preventDefault()
    document.getElementById(`main-${page}`)?.focus()
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
