import { useEffect, useRef, type MouseEvent } from 'react'
import { draw, faceAt } from '../core/overlay'
import type { Component, OverlayProps } from './types'

export const Overlay: Component<OverlayProps> = ({ id, label, detections, options, onSelect }) => {
  const canvas = useRef<HTMLCanvasElement>(null)

  const paint = useRef<() => void>(() => undefined)
  paint.current = () => canvas.current && paintOn(canvas.current, detections, options)

  useEffect(() => paint.current(), [detections, options])
  useEffect(() => {
    const observer = new ResizeObserver(() => paint.current())
    if (canvas.current) {
      observer.observe(canvas.current)
    }
    return () => observer.disconnect()
  }, [])

  const select = onSelect && (({ nativeEvent, currentTarget }: MouseEvent<HTMLCanvasElement>) => {
    const x = (nativeEvent.offsetX / currentTarget.clientWidth) * detections.width
    const y = (nativeEvent.offsetY / currentTarget.clientHeight) * detections.height
    onSelect(faceAt(detections.faces, [x, y]))
  })
  // the list of faces does the same by keyboard
  return <canvas ref={canvas} id={id} className="stage-layer" role="img" aria-label={label} onClick={select} />
}

function paintOn(
  element: HTMLCanvasElement,
  detections: OverlayProps['detections'],
  options: OverlayProps['options'],
): void {
  const { clientWidth: width, clientHeight: height } = element
  const ratio = window.devicePixelRatio || 1
  const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (element.width !== columns || element.height !== rows) {
    element.width = columns
    element.height = rows
  }
  const pen = element.getContext('2d')
  if (pen) {
    pen.clearRect(0, 0, columns, rows)
    draw(pen, width, height, ratio, detections, options)
  }
}
