import { Problem } from '../core/problems'

/** Asks WeChat whether the person has agreed; WeChat opens our sheet where not. Throws where they do not agree. */
export function askPrivacy(): Promise<void> {
  return new Promise((resolve, reject) => {
    wx.requirePrivacyAuthorize({
      success: () => resolve(),
      fail: () => reject(new Problem('privacy-refused')),
    })
  })
}

export interface Consent {
  agree(buttonId: string): void
  disagree(): void
}

/** Calls `open` with the way to answer when WeChat wants the person asked. The last one to listen is called. */
export function onPrivacyNeeded(open: (consent: Consent) => void): void {
  const listener = (resolve: Resolve) => {
    resolve({ event: 'exposureAuthorization' })
    open({
      agree: (buttonId) => resolve({ event: 'agree', buttonId }),
      disagree: () => resolve({ event: 'disagree' }),
    })
  }
  wx.onNeedPrivacyAuthorization(listener as unknown as WechatMiniprogram.OnNeedPrivacyAuthorizationCallback)
}

/** What WeChat hands to the listener; its typings say otherwise. */
type Resolve = (answer: { event: 'agree' | 'disagree' | 'exposureAuthorization'; buttonId?: string }) => void
