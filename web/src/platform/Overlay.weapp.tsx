import { Canvas } from '@tarojs/components'
import { useReady } from '@tarojs/taro'
import { useEffect, useState } from 'react'
import { draw, type Pen } from '../core/overlay'
import { findCanvas } from './canvas.weapp'
import type { OverlayProps, Part } from './contract'

export const Overlay: Part<OverlayProps> = ({ id, label, found, shown }) => {
  const [ready, setReady] = useState(false)
  useReady(() => setReady(true))

  useEffect(() => {
    void paint(id, found, shown)
  }, [id, found, shown, ready])

  return (
    <div className="stage-layer" role="img" aria-label={label}>
      <Canvas id={id} canvasId={id} type="2d" className="stage-layer" />
    </div>
  )
}

async function paint(id: string, found: OverlayProps['found'], shown: OverlayProps['shown']): Promise<void> {
  const sheet = await findCanvas(id)
  if (!sheet) {
    return
  }
  const ratio = wx.getWindowInfo().pixelRatio
  sheet.canvas.width = Math.round(sheet.width * ratio)
  sheet.canvas.height = Math.round(sheet.height * ratio)
  draw(sheet.canvas.getContext('2d') as unknown as Pen, sheet.width, sheet.height, ratio, found, shown)
}
