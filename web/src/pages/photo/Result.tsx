import { useMemo, useState } from 'react'
import type { Shown } from '../../core/overlay'
import type { Analysis } from '../../core/records'
import { jsonText, type Picture } from '../../core/service'
import { useChosen } from '../../parts/choices'
import { Stage } from '../../parts/Stage'
import { Switch } from '../../parts/Switch'
import { Overlay } from '../../platform/Overlay'
import { countOf, fill } from '../../texts'
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
  const count = countOf(faces.length, texts.noFaces, texts)
  const json = useMemo(() => jsonText(analysis), [analysis])
  return (
    <div className="result">
      <div>
        <Stage width={width} height={height}>
          {picture.width > 0 && (
            <img className="stage-layer" src={picture.url} alt={fill(texts.pictureAlt, { name: picture.name })} />
          )}
          <Overlay id="overlay" found={analysis} shown={shown}
            label={faces.length ? `${count}. ${fill(texts.overlayAlt, { what })}` : texts.noFaces} />
        </Stage>
        {picture.width === 0 && <p className="quiet">{texts.notShown}</p>}
      </div>
      <div>
        <p className="count">{count}</p>
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
