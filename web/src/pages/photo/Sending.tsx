import type { Picture } from '../../core/service'
import { useChosen } from '../../parts/choices'
import { Stage } from '../../parts/Stage'
import { fill } from '../../texts'

/** The picture on its way, and how far it has come. */
export function Sending({ picture, fraction, onCancel }: { picture: Picture; fraction: number; onCancel(): void }) {
  const { texts } = useChosen()
  const percent = Math.round(fraction * 100)
  const words = percent < 100 ? fill(texts.uploading, { percent }) : texts.looking
  return (
    <>
      {picture.width > 0 && (
        <Stage width={picture.width} height={picture.height}>
          <img className="stage-layer stage-waiting" src={picture.url} alt={fill(texts.pictureAlt, { name: picture.name })} />
        </Stage>
      )}
      <div className="progress" role="progressbar" aria-label={words} aria-valuemin={0} aria-valuemax={100}
        aria-valuenow={percent}>
        <div className={percent < 100 ? 'progress-bar' : 'progress-bar progress-busy'} style={{ width: `${percent}%` }} />
      </div>
      <div className="panel-head">
        <p className="quiet">{words}</p>
        <button className="button button-small" onClick={onCancel}>{texts.cancel}</button>
      </div>
    </>
  )
}
