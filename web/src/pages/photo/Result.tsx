import { useMemo, useState } from 'react'
import type { Shown } from '../../core/overlay'
import type { Analysis } from '../../core/records'
import { jsonText, type Picture } from '../../core/service'
import { useChosen } from '../../parts/choices'
import { Stage } from '../../parts/Stage'
import { Switch } from '../../parts/Switch'
import { Overlay } from '../../platform/Overlay'
import { fill } from '../../texts'
import { Chips } from './Chips'
import { FaceList } from './FaceList'
import { JsonPanel } from './JsonPanel'

const PARTS = ['boxes', 'points', 'landmarks', 'pose'] as const

/** The picture with what was found drawn above it, and the same in words, cut out, and as JSON. */
export function Result({ picture, analysis }: { picture: Picture; analysis: Analysis }) {
  const { texts } = useChosen()
  const [shown, setShown] = useState<Shown>({ boxes: true, points: false, landmarks: true, pose: false, mirror: false })
  const { width, height, faces } = analysis
  const what = PARTS.filter((part) => shown[part]).map((part) => texts[part]).join(', ') || '–'
  const json = useMemo(() => jsonText(analysis), [analysis])
  return (
    <div className="result">
      <div className="result-picture">
        <Stage width={width} height={height}>
          {picture.width > 0 && (
            <img className="stage-layer" src={picture.url} alt={fill(texts.pictureAlt, { name: picture.name })} />
          )}
          <Overlay id="overlay" label={`${countOf(faces.length, texts)}. ${fill(texts.overlayAlt, { what })}`}
            found={analysis} shown={shown} />
        </Stage>
        {picture.width === 0 && <p className="quiet">{texts.notShown}</p>}
      </div>
      <div className="result-side">
        <p className="count" role="status">{faces.length ? countOf(faces.length, texts) : texts.noFaces}</p>
        {faces.length > 0 && (
          <>
            <div className="switches" role="group" aria-label={texts.draw}>
              {PARTS.map((part) => (
                <Switch key={part} label={texts[part]} on={shown[part]}
                  onChange={(on) => setShown({ ...shown, [part]: on })} />
              ))}
            </div>
            <FaceList faces={faces} />
          </>
        )}
      </div>
      {analysis.chips.length > 0 && <Chips chips={analysis.chips} name={analysis.picture} />}
      <JsonPanel text={json} />
    </div>
  )
}

function countOf(count: number, texts: { oneFace: string; manyFaces: string }): string {
  return count === 1 ? texts.oneFace : fill(texts.manyFaces, { count })
}
