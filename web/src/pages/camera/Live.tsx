import { useState } from 'react'
import { useApp } from '../../components/AppContext'
import { MinFaceSize } from '../../components/MinFaceSize'
import { Stage } from '../../components/Stage'
import { Switch } from '../../components/Switch'
import type { OverlayOptions } from '../../core/overlay'
import type { StreamResponse } from '../../core/records'
import { countFaces, format } from '../../locales'
import { CameraView } from '../../platform/CameraView'
import { device } from '../../platform/device'
import { Overlay } from '../../platform/Overlay'
import type { CameraProps } from '../../platform/types'

/** The latest response, the responses per second, and the delay from camera to screen in milliseconds. */
export interface LiveResult {
  response: StreamResponse
  rate: number
  delay: number
}

/** Sides in pixels. */
const FACE_SIZES = [20, 40, 80, 160]

interface Props extends Pick<CameraProps, 'wanted' | 'onStart' | 'onFrame' | 'onProblem'> {
  size: { width: number; height: number } | undefined
  selfie: boolean
  result: LiveResult | undefined
  minFaceSize: number
  onMinFaceSize(size: number): void
  onStop(): void
}

const LAYERS = (['boxes', 'keypoints', 'landmarks', 'pose', 'mirror'] as const).filter(
  (layer) => layer !== 'mirror' || device.mirrors,
)

export function Live({ size, selfie, result, minFaceSize, onMinFaceSize, onStop, ...camera }: Props) {
  const { texts } = useApp()
  const [layers, setLayers] = useState({ boxes: true, keypoints: false, landmarks: true, pose: false })
  const [mirror, setMirror] = useState<boolean>()
  const overlay: OverlayOptions = { ...layers, mirror: mirror ?? selfie }
  const { width, height } = size ?? { width: 640, height: 480 }
  const count = result ? countFaces(result.response.faces.length, texts) : texts.starting
  const change = (layer: (typeof LAYERS)[number], on: boolean) =>
    layer === 'mirror' ? setMirror(on) : setLayers({ ...layers, [layer]: on })
  return (
    <div className="result">
      <div>
        <Stage width={width} height={height}>
          <CameraView label={texts.cameraAlt} otherLabel={texts.otherCamera} mirror={overlay.mirror} {...camera} />
          {result && <Overlay id="live-overlay" label={count} detections={result.response} options={overlay} />}
          <div className="meter number" aria-hidden="true">
            {result
              ? `${format(texts.rate, { rate: result.rate.toFixed(1) })} · ${format(texts.delay, { ms: Math.round(result.delay) })}`
              : texts.starting}
          </div>
        </Stage>
      </div>
      <div>
        <p className="count">{count}</p>
        <div className="switches" role="group" aria-label={texts.draw}>
          {LAYERS.map((layer) => (
            <Switch key={layer} label={texts[layer]} on={overlay[layer]} onChange={(on) => change(layer, on)} />
          ))}
        </div>
        <MinFaceSize sizes={FACE_SIZES} value={minFaceSize} onChange={onMinFaceSize} />
        <div className="row">
          <button className="button button-main" onClick={onStop}>{texts.stop}</button>
        </div>
      </div>
    </div>
  )
}
