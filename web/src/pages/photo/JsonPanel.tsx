import { useState } from 'react'
import { asProblem, type Problem } from '../../core/problems'
import { useChosen } from '../../parts/choices'
import { ProblemNote } from '../../parts/ProblemNote'
import { device } from '../../platform/device'

/** The answer as the service gave it, without the bytes of the chips. */
export function JsonPanel({ text }: { text: string }) {
  const { texts } = useChosen()
  const [copied, setCopied] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const copy = async () => {
    setProblem(undefined)
    try {
      await device.copy(text)
      setCopied(true)
    } catch (error) {
      setProblem(asProblem(error))
    }
  }
  return (
    <section className="panel result-wide">
      <div className="panel-head">
        <h2 className="title">{texts.json}</h2>
        <button className="button button-small" onClick={() => void copy()}>{copied ? texts.copied : texts.copy}</button>
      </div>
      {problem && <ProblemNote problem={problem} />}
      <pre className="json" tabIndex={0} role="region" aria-label={texts.json}>{text}</pre>
    </section>
  )
}
