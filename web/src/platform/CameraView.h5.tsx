import { useEffect, useRef, useState } from 'react'
import { Problem } from '../core/problems'
import type { CameraProps, Component } from './types'

const QUALITY = 0.8

export const CameraView: Component<CameraProps> = (props) => {
  const video = useRef<HTMLVideoElement>(null)
  const latest = useRef(props)
  latest.current = props
  const [facing, setFacing] = useState<Facing>('user')

  useEffect(() => {
    const element = video.current
    return element ? run(element, facing, () => latest.current) : undefined
  }, [facing])

  return (
    <>
      <video ref={video} className={props.mirror ? 'stage-layer flipped' : 'stage-layer'} aria-label={props.label}
        muted playsInline />
      <button className="button button-small other-camera touch-only"
        onClick={() => setFacing(facing === 'user' ? 'environment' : 'user')}>
        {props.otherLabel}
      </button>
    </>
  )
}

type Facing = 'user' | 'environment'

/** Shows the camera in `video` and hands out its frames; answers with what ends it. */
function run(video: HTMLVideoElement, wanted: Facing, props: () => CameraProps): () => void {
  let stream: MediaStream | undefined
  let over = false
  const canvas = document.createElement('canvas')

  const start = async () => {
    stream = await openCamera(wanted)
    if (over) {
      return stop()
    }
    video.srcObject = stream
    await video.play()
    tell()
    video.addEventListener('resize', tell) // the phone was turned
    nextFrame(video, loop)
  }
  const tell = () => {
    const facing = stream?.getVideoTracks()[0]?.getSettings().facingMode
    props().onStart(video.videoWidth, video.videoHeight, facing !== 'environment')
  }
  const loop = () => {
    if (over) {
      return
    }
    if (props().wanted()) {
      props().onFrame(encode(video, canvas))
    }
    nextFrame(video, loop)
  }
  const stop = () => {
    over = true
    video.removeEventListener('resize', tell)
    stream?.getTracks().forEach((track) => track.stop())
    if (stream && video.srcObject === stream) {
      video.srcObject = null
    }
  }
  start().catch((error: unknown) => over || props().onProblem(problemOfCamera(error)))
  return stop
}

async function openCamera(facingMode: Facing): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw new Problem('camera-insecure')
  }
  return navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode, frameRate: { ideal: 30 } },
  })
}

function nextFrame(video: HTMLVideoElement, then: () => void): void {
  if (video.requestVideoFrameCallback) {
    video.requestVideoFrameCallback(then)
  } else {
    requestAnimationFrame(then)
  }
}

/** In one go: toBlob is put off when the browser is busy, and gives no more frames a second when it is not. */
function encode(video: HTMLVideoElement, canvas: HTMLCanvasElement): ArrayBuffer {
  if (canvas.width !== video.videoWidth || canvas.height !== video.videoHeight) {
    canvas.width = video.videoWidth
    canvas.height = video.videoHeight
  }
  canvas.getContext('2d', { willReadFrequently: true })?.drawImage(video, 0, 0)
  const bytes = atob(canvas.toDataURL('image/jpeg', QUALITY).split(',')[1] ?? '')
  return Uint8Array.from(bytes, (letter) => letter.charCodeAt(0)).buffer
}

/** A refusal, a missing camera, or one that somebody else holds. */
function problemOfCamera(error: unknown): Problem {
  if (error instanceof Problem) {
    return error
  }
  const refused = error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'SecurityError')
  return new Problem(refused ? 'camera-refused' : 'camera-missing')
}
