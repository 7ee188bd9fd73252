import { useDidHide } from '@tarojs/taro'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useApp } from '../../components/AppContext'
import { ErrorMessage } from '../../components/ErrorMessage'
import { PageLayout } from '../../components/PageLayout'
import type { Problem } from '../../core/problems'
import { Rate } from '../../core/rate'
import type { StreamResponse } from '../../core/records'
import { Stream } from '../../core/stream'
import { countFaces } from '../../locales'
import { device } from '../../platform/device'
import { Live, type LiveResult } from './Live'

interface Size {
  width: number
  height: number
}

export default function CameraPage() {
  const { texts, key } = useApp()
  const [running, setRunning] = useState(false)
  const [size, setSize] = useState<Size>()
  const [selfie, setSelfie] = useState(true)
  const [result, setResult] = useState<LiveResult>()
  const [problem, setProblem] = useState<Problem>()
  const [minFaceSize, setMinFaceSize] = useState(40)
  const stream = useRef<Stream>()

  const stop = useCallback(() => {
    stream.current?.close()
    stream.current = undefined
    setRunning(false)
    setSize(undefined)
    setResult(undefined)
  }, [])
  const fail = useCallback((reason: Problem) => {
    stop()
    setProblem(reason)
  }, [stop])
  useDidHide(() => {
    stop()
    setProblem(undefined)
  })
  useEffect(() => stop, [stop])

  const start = () => {
    setProblem(undefined)
    setRunning(true)
  }
  const open = useCallback((minFaceSize: number) => {
    stream.current?.close()
    const rate = new Rate()
    const onResponse = (response: StreamResponse, delay: number) =>
      setResult({ response, delay, rate: rate.tick(Date.now()) })
    stream.current = new Stream(device.openSocket, { response: onResponse, problem: fail }, { minFaceSize, key: key() })
  }, [fail, key])
  const changeMinFaceSize = (size: number) => {
    setMinFaceSize(size)
    if (stream.current) {
      open(size)
    }
  }
  const onStart = useCallback((width: number, height: number, facing: boolean) => {
    setSize({ width, height })
    setSelfie(facing)
    if (!stream.current) {
      open(minFaceSize) // not before there is a camera: users take their time to allow it
    }
  }, [open, minFaceSize])
  const wanted = useCallback(() => stream.current?.ready ?? false, [])
  const onFrame = useCallback((jpeg: ArrayBuffer) => stream.current?.send(jpeg), [])
  const status = result ? countFaces(result.response.faces.length, texts) : texts.starting

  return (
    <PageLayout page="camera" title={texts.cameraTitle} lead={texts.cameraLead} status={running ? status : ''}>
      {problem && <ErrorMessage problem={problem} onRetry={start} />}
      {running ? (
        <Live size={size} selfie={selfie} result={result} minFaceSize={minFaceSize} onMinFaceSize={changeMinFaceSize}
          wanted={wanted} onStart={onStart} onFrame={onFrame} onProblem={fail} onStop={stop} />
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
    </PageLayout>
  )
}
