import { Canvas } from '@tarojs/components'
import { nextTick } from '@tarojs/taro'
import { useEffect } from 'react'
import { draw, type Pen } from '../core/overlay'
import { findCanvas } from './canvas.weapp'
import type { OverlayProps, Part } from './contract'

export const Overlay: Part<OverlayProps> = ({ id, label, found, shown }) => {
  useEffect(() => nextTick(() => void paint(id, found, shown)), [id, found, shown]) // the canvas is there only then

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
