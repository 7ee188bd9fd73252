import { useDidShow } from '@tarojs/taro'
import { useState } from 'react'
import type { Code, Problem } from '../core/problems'
import { device } from '../platform/device'
import { fill } from '../texts'
import { useChosen } from './choices'

/** What the person may have refused, and can allow again. */
const PERMITTED: Code[] = ['camera-refused', 'not-chosen', 'not-saved']

/** The same file would fail again. */
const FINAL: Code[] = [
  'too-many-bytes', 'too-many-pixels', 'unsupported-media-type', 'unsupported-picture', 'damaged-picture', 'no-picture',
]

interface Props {
  problem: Problem
  onRetry?: () => void
}

/** A sentence in the reader's language, the service's own words below it, and what can be done. */
export function ProblemNote({ problem, onRetry }: Props) {
  const { texts } = useChosen()
  const { code, detail, retryAfter } = problem
  return (
    <div className="problem" role="alert" data-code={code}>
      <p className="problem-title">{texts.problemTitle}</p>
      <p className="text">
        {texts.problems[code]}
        {retryAfter ? ` ${fill(texts.retryIn, { seconds: retryAfter })}` : ''}
      </p>
      {detail && <p className="quiet" lang="en">{detail}</p>}
      {code === 'unauthorized' && onRetry && <KeyField onGiven={onRetry} />}
      <div className="row">
        {PERMITTED.includes(code) && device.openSettings && (
          <button className="button" onClick={device.openSettings}>{texts.settings}</button>
        )}
        {onRetry && code !== 'unauthorized' && !FINAL.includes(code) && (
          <button className="button" onClick={onRetry}>{texts.retry}</button>
        )}
      </div>
    </div>
  )
}

function KeyField({ onGiven }: { onGiven(): void }) {
  const { texts, key, setKey } = useChosen()
  const [text, setText] = useState(key)
  useDidShow(() => setText((typed) => typed || key())) // it may have been given on another page
  const use = () => {
    if (text.trim()) {
      setKey(text.trim())
      onGiven()
    }
  }
  return (
    <div className="row">
      <input className="field" type="password" aria-label={texts.keyLabel} placeholder={texts.keyLabel} value={text}
        onInput={(event) => setText((event.target as HTMLInputElement).value)}
        onKeyDown={(event) => event.key === 'Enter' && use()} />
      <button className="button button-main" disabled={!text.trim()} onClick={use}>{texts.keyUse}</button>
    </div>
  )
}
