import { useApp } from '../../components/AppContext'
import { ErrorMessage } from '../../components/ErrorMessage'
import { MinFaceSize } from '../../components/MinFaceSize'
import { PageLayout } from '../../components/PageLayout'
import { countFaces, type Texts } from '../../locales'
import { ImagePicker } from '../../platform/ImagePicker'
import { Result } from './Result'
import { Example, SampleList } from './Samples'
import { UploadProgress } from './UploadProgress'
import { useSelectedImage, type ImageState } from './useSelectedImage'

/** Sides in pixels; the service detects faces of 20 pixels and more. */
const FACE_SIZES = [undefined, 20, 40, 80, 160]

export default function PhotoPage() {
  const { texts } = useApp()
  const { state, options, select, setOptions, fail, cancel } = useSelectedImage()
  const active = state.step === 'uploading' || state.step === 'analyzed'
  const retry = state.step === 'failed' && state.image
  return (
    <PageLayout page="photo" title={texts.photoTitle} lead={texts.photoLead} status={statusOf(state, texts)}>
      {state.step === 'failed' && (
        <ErrorMessage problem={state.problem} onRetry={retry ? () => select(retry) : undefined} />
      )}
      <div className={active ? '' : 'start'}>
        <div>
          <ImagePicker texts={texts} compact={active} onImage={select} onProblem={fail} />
          {!active && <SampleList onImage={select} onProblem={fail} />}
          <MinFaceSize sizes={FACE_SIZES} value={options.minFaceSize}
            onChange={(minFaceSize) => setOptions({ ...options, minFaceSize })} />
        </div>
        {!active && <Example />}
      </div>
      {state.step === 'uploading' && <UploadProgress image={state.image} fraction={state.fraction} onCancel={cancel} />}
      {state.step === 'analyzed' && (
        <Result key={state.image.url} image={state.image} analysis={state.analysis} options={options} />
      )}
    </PageLayout>
  )
}

/** Problems are announced as alerts. */
function statusOf(state: ImageState, texts: Texts): string {
  if (state.step === 'uploading') {
    return texts.analyzing
  }
  return state.step === 'analyzed' ? countFaces(state.analysis.faces.length, texts) : ''
}
