import { useApp } from '../../components/AppContext'
import { Stage } from '../../components/Stage'
import { toProblem, type Problem } from '../../core/problems'
import type { SelectedImage } from '../../core/service'
import { device } from '../../platform/device'
import { Overlay } from '../../platform/Overlay'
import { EXAMPLE, SAMPLES, type Sample } from '../../samples'

const OPTIONS = { boxes: true, keypoints: false, landmarks: true, pose: true, mirror: false }

/** A result to expect: the analysis is part of the page, so that it costs no request. */
export function Example() {
  const { texts } = useApp()
  const { analysis, url } = EXAMPLE
  return (
    <div className="example" role="figure" aria-label={texts.exampleTitle}>
      <Stage width={analysis.width} height={analysis.height}>
        <img className="stage-layer" src={url} alt="" />
        <Overlay id="example-overlay" label={texts.exampleAlt} detections={analysis} options={OPTIONS} />
      </Stage>
      <p className="quiet">{texts.exampleCaption}</p>
    </div>
  )
}

interface Props {
  onImage(image: SelectedImage): void
  onProblem(problem: Problem): void
}

export function SampleList({ onImage, onProblem }: Props) {
  const { texts } = useApp()
  const open = async (sample: Sample) => {
    try {
      onImage(await device.openSample(sample))
    } catch (error) {
      onProblem(toProblem(error))
    }
  }
  return (
    <div className="samples" role="group" aria-label={texts.samplesTitle}>
      <p className="samples-title">{texts.samplesTitle}</p>
      <div className="samples-row">
        {SAMPLES.map((sample) => (
          <button key={sample.name} className="sample" onClick={() => void open(sample)}>
            <img className="sample-image" src={sample.thumbnail} alt="" />
            <span className="sample-name">{texts.samples[sample.name]}</span>
          </button>
        ))}
      </div>
    </div>
  )
}
