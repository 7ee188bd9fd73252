import { Button } from '@tarojs/components'
import { useDidShow } from '@tarojs/taro'
import { useState } from 'react'
import { format } from '../locales'
import type { Component, PrivacySheetProps } from './types'
import { onPrivacyNeeded, type Consent } from './privacy.weapp'

const AGREE = 'agree'

/** Comes up when WeChat wants the person asked, before the first picture. */
export const PrivacySheet: Component<PrivacySheetProps> = ({ texts, host }) => {
  const [consent, setConsent] = useState<Consent>()
  useDidShow(() => onPrivacyNeeded((next) => setConsent(next)))

  if (!consent) {
    return null
  }
  const answer = (agreed: boolean) => {
    if (agreed) {
      consent.agree(AGREE)
    } else {
      consent.disagree()
    }
    setConsent(undefined)
  }
  return (
    <div className="veil">
      <div className="sheet" role="dialog">
        <h2 className="title">{texts.sheetTitle}</h2>
        <p className="text">{format(texts.sheetText, { host })}</p>
        <button className="link" onClick={() => wx.openPrivacyContract({})}>{texts.sheetGuide}</button>
        <div className="row">
          <Button id={AGREE} className="button button-main" openType="agreePrivacyAuthorization"
            onAgreePrivacyAuthorization={() => answer(true)}>
            {texts.agree}
          </Button>
          <button className="button" onClick={() => answer(false)}>{texts.disagree}</button>
        </div>
      </div>
    </div>
  )
}
