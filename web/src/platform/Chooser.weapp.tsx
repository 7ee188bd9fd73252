import { asProblem } from '../core/problems'
import type { ChooserProps, Part } from './contract'
import { choosePicture } from './pictures.weapp'

export const Chooser: Part<ChooserProps> = ({ texts, small, onPicture, onProblem }) => {
  const choose = async (from: 'album' | 'camera') => {
    try {
      const picture = await choosePicture(from)
      if (picture) {
        onPicture(picture)
      }
    } catch (error) {
      onProblem(asProblem(error))
    }
  }
  const buttons = (
    <div className={small ? 'row row-above' : 'row'}>
      <button className="button button-main" onClick={() => void choose('album')}>
        {small ? texts.another : texts.choose}
      </button>
      <button className="button" onClick={() => void choose('camera')}>
        {texts.shoot}
      </button>
    </div>
  )
  if (small) {
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
