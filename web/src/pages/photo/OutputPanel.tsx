import { useMemo, useState } from 'react'
import { useApp } from '../../components/AppContext'
import { Choice } from '../../components/Choice'
import { ErrorMessage } from '../../components/ErrorMessage'
import { stem } from '../../core/drawing'
import type { Analysis } from '../../core/records'
import type { AnalysisOptions, SelectedImage } from '../../core/service'
import { curlSnippet, jsonSnippet, pythonSnippet } from '../../core/snippets'
import { device } from '../../platform/device'
import { useSaving } from './useSaving'

const FORMATS = ['json', 'curl', 'python'] as const
type Format = (typeof FORMATS)[number]

interface Props {
  image: SelectedImage
  analysis: Analysis
  options: AnalysisOptions
}

/** The response as JSON, and the request as code. */
export function OutputPanel({ image, analysis, options }: Props) {
  const { texts, key } = useApp()
  const [format, setFormat] = useState<Format>('json')
  const [copied, setCopied] = useState<string>()
  const { problem, save } = useSaving()
  const snippets = useMemo<Record<Format, string>>(() => {
    const input = { service: device.service, name: image.name, options, authenticated: key() !== '' }
    return { json: jsonSnippet(analysis), curl: curlSnippet(input), python: pythonSnippet(input) }
  }, [analysis, image, options, key])
  const text = snippets[format]
  const copy = () => save(async () => {
    await device.copy(text)
    setCopied(text)
    return false
  })
  return (
    <section className="panel result-wide">
      <h2 className="title">{texts.output}</h2>
      <div className="toolbar">
        <Choice<Format> label={texts.output} value={format} onChange={setFormat}
          options={FORMATS.map((value) => ({ value, label: texts[value] }))} />
        <button className="button button-small" onClick={() => void copy()}>
          {copied === text ? texts.copied : texts.copy}
        </button>
        {format === 'json' && device.saveText && (
          <button className="button button-small"
            onClick={() => device.saveText?.(`${stem(analysis.image)}.json`, `${text}\n`)}>
            {texts.downloadJson}
          </button>
        )}
      </div>
      {problem && <ErrorMessage problem={problem} />}
      <pre className="code" tabIndex={0} role="region" aria-label={texts[format]}>{text}</pre>
    </section>
  )
}
