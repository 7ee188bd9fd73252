import { Canvas } from '@tarojs/components'
import { nextTick } from '@tarojs/taro'
import { useEffect } from 'react'
import { draw, type Pen } from '../core/overlay'
import { queryCanvas } from './canvas.weapp'
import type { Component, OverlayProps } from './types'

export const Overlay: Component<OverlayProps> = ({ id, label, detections, options }) => {
  useEffect(() => nextTick(() => void paint(id, detections, options)), [id, detections, options])

  return (
    <div className="stage-layer" role="img" aria-label={label}>
      <Canvas id={id} canvasId={id} type="2d" className="stage-layer" />
    </div>
  )
}

async function paint(
  id: string,
  detections: OverlayProps['detections'],
  options: OverlayProps['options'],
): Promise<void> {
  const node = await queryCanvas(id)
  if (!node) {
    return
  }
  const ratio = wx.getWindowInfo().pixelRatio
  node.canvas.width = Math.round(node.width * ratio) // clears the canvas, too
  node.canvas.height = Math.round(node.height * ratio)
  draw(node.canvas.getContext('2d') as unknown as Pen, node.width, node.height, ratio, detections, options)
}
