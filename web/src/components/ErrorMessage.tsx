import { useDidShow } from '@tarojs/taro'
import { useState } from 'react'
import type { Code, Problem } from '../core/problems'
import { format } from '../locales'
import { device } from '../platform/device'
import { useApp } from './AppContext'
import { Disclosure } from './Disclosure'

/** Problems that the user can solve in the settings. */
const PERMISSION_CODES: Code[] = ['camera-refused', 'not-opened', 'not-saved']

/** Problems that the same file would have again. */
const FINAL_CODES: Code[] = [
  'too-many-bytes', 'too-many-pixels', 'unsupported-media-type', 'unsupported-image', 'damaged-image', 'no-image',
]

interface Props {
  problem: Problem
  onRetry?: () => void
}

/** What went wrong and what to do about it; the message of the service, in English, on request. */
export function ErrorMessage({ problem, onRetry }: Props) {
  const { texts } = useApp()
  const { code, detail, retryAfter } = problem
  return (
    <div className="problem" role="alert" data-code={code}>
      <p className="problem-title">{texts.problemTitle}</p>
      <p className="text">
        {texts.problems[code]}
        {retryAfter ? ` ${format(texts.retryIn, { seconds: retryAfter })}` : ''}
      </p>
      {code === 'unauthorized' && onRetry && <KeyField onSubmit={onRetry} />}
      <div className="row">
        {PERMISSION_CODES.includes(code) && device.openSettings && (
          <button className="button" onClick={device.openSettings}>{texts.settings}</button>
        )}
        {onRetry && code !== 'unauthorized' && !FINAL_CODES.includes(code) && (
          <button className="button" onClick={onRetry}>{texts.retry}</button>
        )}
      </div>
      {detail && (
        <Disclosure label={texts.technicalDetails}>
          <p className="quiet" lang="en">{detail}</p>
        </Disclosure>
      )}
    </div>
  )
}

function KeyField({ onSubmit }: { onSubmit(): void }) {
  const { texts, key, setKey } = useApp()
  const [text, setText] = useState(key)
  useDidShow(() => setText((typed) => typed || key())) // it may have been entered on another page
  const submit = () => {
    if (text.trim()) {
      setKey(text.trim())
      onSubmit()
    }
  }
  return (
    <div className="row">
      <input className="field" type="password" aria-label={texts.keyLabel} placeholder={texts.keyLabel} value={text}
        onInput={(event) => setText((event.target as HTMLInputElement).value)}
        onKeyDown={(event) => event.key === 'Enter' && submit()} />
      <button className="button button-main" disabled={!text.trim()} onClick={submit}>{texts.keyUse}</button>
    </div>
  )
}
