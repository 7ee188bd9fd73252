import { Camera, Canvas } from '@tarojs/components'
import { useEffect, useRef, useState } from 'react'
import { Problem, asProblem } from '../core/problems'
import { allowCamera, watchFrames } from './camera.weapp'
import { findCanvas } from './canvas.weapp'
import type { CameraProps, Part } from './contract'

const CANVAS = 'frames'

export const CameraView: Part<CameraProps> = (props) => {
  const latest = useRef(props)
  latest.current = props
  const [allowed, setAllowed] = useState(false)
  const [selfie, setSelfie] = useState(true)
  const [size, setSize] = useState<{ width: number; height: number }>()
  const stop = useRef<() => void>()

  useEffect(() => {
    allowCamera().then(
      () => setAllowed(true),
      (error: unknown) => latest.current.onProblem(asProblem(error)),
    )
    return () => stop.current?.()
  }, [])
  useEffect(() => {
    if (size) {
      latest.current.onStart(size.width, size.height, selfie)
    }
  }, [size, selfie])

  const onInitDone = async () => {
    const sheet = await findCanvas(CANVAS)
    if (!sheet) {
      return latest.current.onProblem(new Problem('camera-missing'))
    }
    stop.current?.()
    stop.current = watchFrames(sheet.canvas, {
      wanted: () => latest.current.wanted(),
      onSize: (width, height) => setSize({ width, height }),
      onFrame: (jpeg) => latest.current.onFrame(jpeg),
    })
  }

  if (!allowed) {
    return null
  }
  return (
    <>
      <Camera className="stage-layer" devicePosition={selfie ? 'front' : 'back'} frameSize="medium" flash="off"
        onInitDone={() => void onInitDone()} onError={() => props.onProblem(new Problem('camera-refused'))}
        onStop={() => props.onProblem(new Problem('camera-stopped'))} />
      <Canvas id={CANVAS} canvasId={CANVAS} type="2d" className="away" />
      <button className="button button-small other-camera" onClick={() => setSelfie(!selfie)}>{props.otherLabel}</button>
    </>
  )
}
