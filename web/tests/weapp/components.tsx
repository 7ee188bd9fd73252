import type { ButtonProps, CameraProps, CanvasProps } from '@tarojs/components'

/** Native components as HTML elements; the props that WeChat would call are kept in `native`. */
export const native: { camera?: CameraProps } = {}

export function Camera(props: CameraProps) {
  native.camera = props
  return <div data-native="camera" />
}

export function Canvas({ id }: CanvasProps) {
  return <canvas id={id} />
}

export function Button({ id, children, openType, onAgreePrivacyAuthorization }: ButtonProps) {
  const onClick = () => onAgreePrivacyAuthorization?.({} as never)
  return <button id={id} data-open-type={openType} onClick={onClick}>{children}</button>
}
