import { Problem } from '../core/problems'
import { askPrivacy } from './privacy.weapp'

/** Throws where the person agrees to no picture, or has refused the camera; it asks where they have done neither. */
export async function allowCamera(): Promise<void> {
  await askPrivacy()
  const { authSetting } = await wx.getSetting()
  if (authSetting['scope.camera'] === false) {
    throw new Problem('camera-refused')
  }
  await wx.authorize({ scope: 'scope.camera' }).catch(() => {
    throw new Problem('camera-refused')
  })
}

export interface Frames {
  wanted(): boolean
  onSize(width: number, height: number): void
  onFrame(jpeg: ArrayBuffer): void
}

/** Listens to the camera's frames, from `initdone` on; answers with what ends it. */
export function watchFrames(canvas: WechatMiniprogram.Canvas, frames: Frames): () => void {
  let [width, height] = [0, 0]
  const listener = wx.createCameraContext().onCameraFrame((frame) => {
    if (frame.width !== width || frame.height !== height) {
      ;[width, height] = [frame.width, frame.height]
      frames.onSize(width, height)
    }
    if (frames.wanted()) {
      frames.onFrame(jpegOf(canvas, frame))
    }
  })
  listener.start({})
  return () => listener.stop({})
}

const QUALITY = 0.7

/** The frame, RGBA, as a JPEG; a canvas does the packing, as a mini-program has no other way. */
function jpegOf(
  canvas: WechatMiniprogram.Canvas,
  frame: WechatMiniprogram.OnCameraFrameCallbackResult,
): ArrayBuffer {
  if (canvas.width !== frame.width || canvas.height !== frame.height) {
    canvas.width = frame.width
    canvas.height = frame.height
  }
  const pen = canvas.getContext('2d') as WechatMiniprogram.CanvasRenderingContext.CanvasRenderingContext2D
  const image = pen.createImageData(frame.width, frame.height)
  image.data.set(new Uint8ClampedArray(frame.data))
  pen.putImageData(image, 0, 0)
  const base64 = canvas.toDataURL('image/jpeg', QUALITY).split(',')[1] ?? ''
  return wx.base64ToArrayBuffer(base64)
}
