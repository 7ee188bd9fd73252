import { useEffect, useRef } from 'react'
import { draw } from '../core/overlay'
import type { OverlayProps, Part } from './contract'

export const Overlay: Part<OverlayProps> = ({ id, label, found, shown }) => {
  const canvas = useRef<HTMLCanvasElement>(null)

  const paint = useRef<() => void>(() => undefined)
  paint.current = () => canvas.current && paintOn(canvas.current, found, shown)

  useEffect(() => paint.current(), [found, shown])
  useEffect(() => {
    const observer = new ResizeObserver(() => paint.current())
    if (canvas.current) {
      observer.observe(canvas.current)
    }
    return () => observer.disconnect()
  }, [])

  return <canvas ref={canvas} id={id} className="stage-layer" role="img" aria-label={label} />
}

function paintOn(element: HTMLCanvasElement, found: OverlayProps['found'], shown: OverlayProps['shown']): void {
  const { clientWidth: width, clientHeight: height } = element
  const ratio = window.devicePixelRatio || 1
  const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (element.width !== columns || element.height !== rows) {
    element.width = columns
    element.height = rows
  }
  const pen = element.getContext('2d')
  if (pen) {
    draw(pen, width, height, ratio, found, shown)
  }
}
