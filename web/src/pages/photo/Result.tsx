import { useState } from 'react'
import { useApp } from '../../components/AppContext'
import { ErrorMessage } from '../../components/ErrorMessage'
import { Stage } from '../../components/Stage'
import { Switch } from '../../components/Switch'
import { annotatedDrawing } from '../../core/drawing'
import type { OverlayOptions } from '../../core/overlay'
import type { Analysis } from '../../core/records'
import type { AnalysisOptions, SelectedImage } from '../../core/service'
import { countFaces, format } from '../../locales'
import { device } from '../../platform/device'
import { Overlay } from '../../platform/Overlay'
import { RendererCanvas, renderImages } from '../../platform/renderer'
import { AlignedFaces } from './AlignedFaces'
import { FaceList } from './FaceList'
import { OutputPanel } from './OutputPanel'
import { useSaving } from './useSaving'

const LAYERS = ['boxes', 'keypoints', 'landmarks', 'pose'] as const

interface Props {
  image: SelectedImage
  analysis: Analysis
  options: AnalysisOptions
}

/** The image with its overlay, the list of faces, the aligned faces, and the code that repeats the request. */
export function Result({ image, analysis, options }: Props) {
  const { texts } = useApp()
  const [overlay, setOverlay] = useState<OverlayOptions>({
    boxes: true, keypoints: false, landmarks: true, pose: false, mirror: false,
  })
  const { problem, saved, save } = useSaving()
  const { width, height, faces } = analysis
  const layers = LAYERS.filter((layer) => overlay[layer]).map((layer) => texts[layer]).join(', ') || '–'
  const count = countFaces(faces.length, texts)
  const select = (selected: number | undefined) => setOverlay({ ...overlay, selected })
  const saveAnnotated = async () => {
    const [rendered] = await renderImages(image.url, [annotatedDrawing(analysis, overlay)])
    return rendered ? device.saveImage(rendered) : false
  }
  return (
    <div className="result">
      <div>
        <Stage width={width} height={height}>
          {image.width > 0 && (
            <img className="stage-layer" src={image.url} alt={format(texts.imageAlt, { name: image.name })} />
          )}
          <Overlay id="overlay" detections={analysis} options={overlay} onSelect={select}
            label={faces.length ? `${count}. ${format(texts.overlayAlt, { what: layers })}` : texts.noFaces} />
        </Stage>
        {image.width === 0 && <p className="quiet">{texts.notShown}</p>}
        {image.width > 0 && faces.length > 0 && (
          <div className="row">
            <button className="button button-small" onClick={() => void save(saveAnnotated)}>
              {texts.saveAnnotated}
            </button>
          </div>
        )}
        <p className="quiet" role="status">{saved ? texts.saved : ''}</p>
        {problem && <ErrorMessage problem={problem} />}
      </div>
      <div>
        <p className="count">{count}</p>
        {faces.length > 0 && (
          <>
            <div className="switches" role="group" aria-label={texts.draw}>
              {LAYERS.map((layer) => (
                <Switch key={layer} label={texts[layer]} on={overlay[layer]}
                  onChange={(on) => setOverlay({ ...overlay, [layer]: on })} />
              ))}
            </div>
            <FaceList faces={faces} selected={overlay.selected} onSelect={select} />
          </>
        )}
      </div>
      {faces.length > 0 && <AlignedFaces image={image} analysis={analysis} />}
      <OutputPanel image={image} analysis={analysis} options={options} />
      <RendererCanvas />
    </div>
  )
}
