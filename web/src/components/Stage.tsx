import type { PropsWithChildren } from 'react'

interface Props {
  width: number
  height: number
}

/** A box with the aspect ratio of an image, no taller than the window; its children are stacked. */
export function Stage({ width, height, children }: PropsWithChildren<Props>) {
  const ratio = width / height
  return (
    <div className="stage" style={{ maxWidth: `calc(72vh * ${ratio.toFixed(4)})` }}>
      <div className="stage-space" style={{ paddingTop: `${(100 / ratio).toFixed(3)}%` }} />
      {children}
    </div>
  )
}
