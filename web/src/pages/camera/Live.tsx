import { useState } from 'react'
import type { Shown } from '../../core/overlay'
import type { FrameAnswer } from '../../core/records'
import { useChosen } from '../../parts/choices'
import { Stage } from '../../parts/Stage'
import { Switch } from '../../parts/Switch'
import { CameraView } from '../../platform/CameraView'
import type { CameraProps } from '../../platform/contract'
import { device } from '../../platform/device'
import { Overlay } from '../../platform/Overlay'
import { countOf, fill } from '../../texts'

/** The newest answer, how many a second there are, and how long this one took from camera to screen. */
export interface Reading {
  answer: FrameAnswer
  rate: number
  delay: number
}

interface Props extends Pick<CameraProps, 'wanted' | 'onStart' | 'onFrame' | 'onProblem'> {
  size: { width: number; height: number } | undefined
  selfie: boolean
  reading: Reading | undefined
  onStop(): void
}

const PARTS = (['boxes', 'points', 'landmarks', 'pose', 'mirror'] as const).filter(
  (part) => part !== 'mirror' || device.mirrors,
)

export function Live({ size, selfie, reading, onStop, ...camera }: Props) {
  const { texts } = useChosen()
  const [chosen, setChosen] = useState({ boxes: true, points: false, landmarks: true, pose: false })
  const [mirror, setMirror] = useState<boolean>()
  const shown: Shown = { ...chosen, mirror: mirror ?? selfie }
  const { width, height } = size ?? { width: 640, height: 480 }
  const words = reading ? countOf(reading.answer.faces.length, texts.noFaceNow, texts) : texts.starting
  const change = (part: (typeof PARTS)[number], on: boolean) =>
    part === 'mirror' ? setMirror(on) : setChosen({ ...chosen, [part]: on })
  return (
    <div className="result">
      <div>
        <Stage width={width} height={height}>
          <CameraView label={texts.cameraAlt} otherLabel={texts.otherCamera} mirror={shown.mirror} {...camera} />
          {reading && <Overlay id="live-overlay" label={words} found={reading.answer} shown={shown} />}
          <div className="meter number" aria-hidden="true">
            {reading
              ? `${fill(texts.rate, { rate: reading.rate.toFixed(1) })} · ${fill(texts.delay, { ms: Math.round(reading.delay) })}`
              : texts.starting}
          </div>
        </Stage>
      </div>
      <div>
        <p className="count">{words}</p>
        <div className="switches" role="group" aria-label={texts.draw}>
          {PARTS.map((part) => (
            <Switch key={part} label={texts[part]} on={shown[part]} onChange={(on) => change(part, on)} />
          ))}
        </div>
        <div className="row">
          <button className="button button-main" onClick={onStop}>{texts.stop}</button>
        </div>
      </div>
    </div>
  )
}
