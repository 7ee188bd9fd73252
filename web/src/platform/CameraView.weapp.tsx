import { Camera, Canvas } from '@tarojs/components'
import { useEffect, useRef, useState } from 'react'
import { Problem, toProblem } from '../core/problems'
import { allowCamera, watchFrames } from './camera.weapp'
import { queryCanvas } from './canvas.weapp'
import type { CameraProps, Component } from './types'

const CANVAS = 'frames'

export const CameraView: Component<CameraProps> = (props) => {
  const latest = useRef(props)
  latest.current = props
  const [allowed, setAllowed] = useState(false)
  const [selfie, setSelfie] = useState(true)
  const [size, setSize] = useState<{ width: number; height: number }>()
  const stop = useRef<() => void>()

  useEffect(() => {
    allowCamera().then(
      () => setAllowed(true),
      (error: unknown) => latest.current.onProblem(toProblem(error)),
    )
    return () => stop.current?.()
  }, [])
  useEffect(() => {
    if (size) {
      latest.current.onStart(size.width, size.height, selfie)
    }
  }, [size, selfie])

  const onInitDone = async () => {
    const node = await queryCanvas(CANVAS)
    if (!node) {
      return latest.current.onProblem(new Problem('camera-missing'))
    }
    stop.current?.()
    stop.current = watchFrames(node.canvas, {
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
      <Canvas id={CANVAS} canvasId={CANVAS} type="2d" className="offscreen" />
      <button className="button button-small other-camera" onClick={() => setSelfie(!selfie)}>{props.otherLabel}</button>
    </>
  )
}
