import { useDidHide, useDidShow } from '@tarojs/taro'
import { useEffect, useRef, type PropsWithChildren } from 'react'
import { device } from '../platform/device'
import { NAVIGATION, Navigation } from '../platform/Navigation'
import { PrivacySheet } from '../platform/PrivacySheet'
import { useChosen } from './choices'

export type PageName = 'photo' | 'camera' | 'models' | 'privacy'

interface Props {
  page: PageName
  title: string
  lead: string
}

/** The frame of a page: where it is among the others, its title, and below it what it shows. */
export function Screen({ page, title, lead, children }: PropsWithChildren<Props>) {
  const { texts, language, setLanguage } = useChosen()
  const shown = useRef(true)
  const name = () => device.name(texts, language, texts[page])
  useDidShow(() => {
    shown.current = true
    name()
  })
  useDidHide(() => {
    shown.current = false
  })
  useEffect(() => {
    if (shown.current) {
      name()
    }
  }, [language])

  return (
    <div className={`screen screen-${NAVIGATION}`}>
      <Navigation page={page} texts={texts}>
        <button className="language" lang={texts.otherLanguageTag}
          onClick={() => setLanguage(language === 'zh' ? 'en' : 'zh')}>
          {texts.otherLanguage}
        </button>
      </Navigation>
      <main id={`main-${page}`} className="main" tabIndex={-1}>
        <h1 className="title title-page">{title}</h1>
        <p className="lead">{lead}</p>
        {children}
      </main>
      <PrivacySheet texts={texts} host={device.host} />
    </div>
  )
}
