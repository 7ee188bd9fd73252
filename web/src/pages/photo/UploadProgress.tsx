import { useApp } from '../../components/AppContext'
import { Stage } from '../../components/Stage'
import type { SelectedImage } from '../../core/service'
import { format } from '../../locales'

/** The image while it is uploaded and analyzed. */
export function UploadProgress({ image, fraction, onCancel }: { image: SelectedImage; fraction: number; onCancel(): void }) {
  const { texts } = useApp()
  const percent = Math.round(fraction * 100)
  const status = percent < 100 ? format(texts.uploading, { percent }) : texts.analyzing
  return (
    <>
      {image.width > 0 && (
        <Stage width={image.width} height={image.height}>
          <img className="stage-layer stage-waiting" src={image.url} alt={format(texts.imageAlt, { name: image.name })} />
        </Stage>
      )}
      <div className="progress" role="progressbar" aria-label={status} aria-valuemin={0} aria-valuemax={100}
        aria-valuenow={percent}>
        <div className={percent < 100 ? 'progress-bar' : 'progress-bar progress-busy'} style={{ width: `${percent}%` }} />
      </div>
      <div className="panel-head">
        <p className="quiet">{status}</p>
        <button className="button button-small" onClick={onCancel}>{texts.cancel}</button>
      </div>
    </>
  )
}
