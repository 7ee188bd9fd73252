import { toProblem } from '../core/problems'
import { chooseImage } from './images.weapp'
import type { Component, ImagePickerProps } from './types'

export const ImagePicker: Component<ImagePickerProps> = ({ texts, compact, onImage, onProblem }) => {
  const choose = async (from: 'album' | 'camera') => {
    try {
      const image = await chooseImage(from)
      if (image) {
        onImage(image)
      }
    } catch (error) {
      onProblem(toProblem(error))
    }
  }
  const buttons = (
    <div className={compact ? 'row row-above' : 'row'}>
      <button className="button button-main" onClick={() => void choose('album')}>
        {compact ? texts.chooseAnother : texts.choose}
      </button>
      <button className="button" onClick={() => void choose('camera')}>
        {texts.takePhoto}
      </button>
    </div>
  )
  if (compact) {
    return buttons
  }
  return (
    <div className="drop">
      <div className="drop-mark" />
      <p className="drop-title">{texts.tapHere}</p>
      {buttons}
      <p className="quiet">{texts.formats}</p>
    </div>
  )
}
