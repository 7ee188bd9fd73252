import { useDidShow } from '@tarojs/taro'
import { useEffect, type PropsWithChildren } from 'react'
import type { PageName } from '../platform/contract'
import { device } from '../platform/device'
import { NAVIGATION, Navigation } from '../platform/Navigation'
import { PrivacySheet } from '../platform/PrivacySheet'
import { useShown } from '../platform/shown'
import { useChosen } from './choices'

interface Props {
  page: PageName
  title: string
  lead: string
  /** What just happened, for those who do not see it. */
  news?: string
}

/** The frame of a page: where it is among the others, its title, and below it what it shows. */
export function Screen({ page, title, lead, news = '', children }: PropsWithChildren<Props>) {
  const { texts, language, setLanguage } = useChosen()
  const shown = useShown()
  const name = () => device.name(texts, language, texts[page])
  useDidShow(name)
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
        <div className="away" role="status">{news}</div>
      </main>
      <PrivacySheet texts={texts} host={device.host} />
    </div>
  )
}
