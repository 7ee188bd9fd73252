import { useApp } from '../../components/AppContext'
import { ErrorMessage } from '../../components/ErrorMessage'
import { stem } from '../../core/drawing'
import type { Analysis } from '../../core/records'
import type { SelectedImage } from '../../core/service'
import { format } from '../../locales'
import { device } from '../../platform/device'
import { useAlignedImages } from './useAlignedImages'
import { useSaving } from './useSaving'

/** The aligned faces, to be saved one by one or together. */
export function AlignedFaces({ image, analysis }: { image: SelectedImage; analysis: Analysis }) {
  const { texts } = useApp()
  const { images, problem: cropProblem } = useAlignedImages(image, analysis)
  const { problem, saved, save } = useSaving()
  const size = analysis.aligned_faces?.[0]?.size ?? 0
  return (
    <section className="panel result-wide">
      <div className="panel-head">
        <h2 className="title">{texts.alignedFaces}</h2>
        {images && images.length > 1 && (
          <button className="button button-small"
            onClick={() => void save(() => device.saveImages(images, `${stem(analysis.image)}_aligned`))}>
            {texts.saveAll}
          </button>
        )}
      </div>
      <p className="quiet">{format(texts.alignedFacesLead, { size })}</p>
      {!images && !cropProblem && <p className="quiet">{texts.preparing}</p>}
      <div className="aligned-faces">
        {images?.map((face, i) => (
          <div key={face.url} className="aligned-face">
            <img className="aligned-image" src={face.url} alt={format(texts.alignedFaceAlt, { number: i + 1 })} />
            <button className="button button-small" aria-label={format(texts.saveLabel, { number: i + 1 })}
              onClick={() => void save(() => device.saveImage(face))}>
              {texts.save}
            </button>
          </div>
        ))}
      </div>
      <p className="quiet" role="status">{saved ? texts.saved : ''}</p>
      {(problem ?? cropProblem) && <ErrorMessage problem={(problem ?? cropProblem)!} />}
    </section>
  )
}
