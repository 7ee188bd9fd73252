import { useDidHide } from '@tarojs/taro'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { Problem } from '../../core/problems'
import type { FrameAnswer } from '../../core/records'
import { Rate } from '../../core/rate'
import { Stream } from '../../core/stream'
import { useChosen } from '../../parts/choices'
import { ProblemNote } from '../../parts/ProblemNote'
import { Screen } from '../../parts/Screen'
import { device } from '../../platform/device'
import { countOf } from '../../texts'
import { Live, type Reading } from './Live'

interface Size {
  width: number
  height: number
}

export default function CameraPage() {
  const { texts, key } = useChosen()
  const [running, setRunning] = useState(false)
  const [size, setSize] = useState<Size>()
  const [selfie, setSelfie] = useState(true)
  const [reading, setReading] = useState<Reading>()
  const [problem, setProblem] = useState<Problem>()
  const stream = useRef<Stream>()

  const stop = useCallback(() => {
    stream.current?.close()
    stream.current = undefined
    setRunning(false)
    setSize(undefined)
    setReading(undefined)
  }, [])
  const fail = useCallback((found: Problem) => {
    stop()
    setProblem(found)
  }, [stop])
  useDidHide(() => {
    stop()
    setProblem(undefined) // who comes back begins anew
  })
  useEffect(() => stop, [stop])

  const start = () => {
    setProblem(undefined)
    setRunning(true)
  }
  const open = useCallback(() => {
    const rate = new Rate()
    const onAnswer = (answer: FrameAnswer, delay: number) =>
      setReading({ answer, delay, rate: rate.tick(Date.now()) })
    stream.current = new Stream(device.openSocket, { answer: onAnswer, problem: fail }, key())
  }, [fail, key])
  const onStart = useCallback((width: number, height: number, facing: boolean) => {
    setSize({ width, height })
    setSelfie(facing)
    if (!stream.current) {
      open() // not before there is a camera: people take their time to allow it
    }
  }, [open])
  const wanted = useCallback(() => stream.current?.ready ?? false, [])
  const onFrame = useCallback((jpeg: ArrayBuffer) => stream.current?.send(jpeg), [])
  const news = reading ? countOf(reading.answer.faces.length, texts.noFaceNow, texts) : texts.starting

  return (
    <Screen page="camera" title={texts.cameraTitle} lead={texts.cameraLead} news={running ? news : ''}>
      {problem && <ProblemNote problem={problem} onRetry={start} />}
      {running ? (
        <Live size={size} selfie={selfie} reading={reading} wanted={wanted} onStart={onStart} onFrame={onFrame}
          onProblem={fail} onStop={stop} />
      ) : (
        !problem && (
          <div className="drop">
            <div className="drop-mark" aria-hidden="true" />
            <div className="row">
              <button className="button button-main" onClick={start}>{texts.start}</button>
            </div>
          </div>
        )
      )}
    </Screen>
  )
}
