import { useDidShow } from '@tarojs/taro'
import { useEffect, type PropsWithChildren } from 'react'
import { device } from '../platform/device'
import { NAVIGATION, Navigation } from '../platform/Navigation'
import { PrivacySheet } from '../platform/PrivacySheet'
import type { PageName } from '../platform/types'
import { usePageVisible } from '../platform/visibility'
import { useApp } from './AppContext'

interface Props {
  page: PageName
  title: string
  lead: string
  /** What has just changed, for screen readers. */
  status?: string
}

/** The frame of a page: navigation, title and content. */
export function PageLayout({ page, title, lead, status = '', children }: PropsWithChildren<Props>) {
  const { texts, language, setLanguage } = useApp()
  const visible = usePageVisible()
  const setTitle = () => device.setTitle(texts, language, texts[page])
  useDidShow(setTitle)
  useEffect(() => {
    if (visible.current) {
      setTitle()
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
        <div className="offscreen" role="status">{status}</div>
      </main>
      <PrivacySheet texts={texts} host={device.host} />
    </div>
  )
}
