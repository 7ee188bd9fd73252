import { useCallback, useEffect, useRef, useState } from 'react'
import { useApp } from '../../components/AppContext'
import { toProblem, type Problem } from '../../core/problems'
import type { Analysis } from '../../core/records'
import { analyze, type AnalysisOptions, type SelectedImage } from '../../core/service'

/** What happens to the selected image. */
export type ImageState =
  | { step: 'empty' }
  | { step: 'uploading'; image: SelectedImage; fraction: number }
  | { step: 'analyzed'; image: SelectedImage; analysis: Analysis }
  | { step: 'failed'; image?: SelectedImage; problem: Problem }

export interface Selection {
  state: ImageState
  options: AnalysisOptions
  /** Uploads an image; cancels an earlier upload. */
  select(image: SelectedImage): void
  /** Analyzes the selected image again, with other options. */
  setOptions(options: AnalysisOptions): void
  fail(problem: Problem): void
  cancel(): void
}

/** The selected image and its analysis. */
export function useSelectedImage(): Selection {
  const { transport } = useApp()
  const [state, setState] = useState<ImageState>({ step: 'empty' })
  const [options, storeOptions] = useState<AnalysisOptions>({})
  const abort = useRef((): void => undefined)

  const upload = useCallback(async (image: SelectedImage, wanted: AnalysisOptions) => {
    abort.current()
    let current = true
    const show = (next: ImageState) => current && setState(next)
    const onProgress = (fraction: number) => show({ step: 'uploading', image, fraction })
    const { response, cancel } = analyze(transport, image, wanted, onProgress)
    abort.current = () => {
      current = false
      cancel()
    }
    onProgress(0)
    try {
      show({ step: 'analyzed', image, analysis: await response })
    } catch (error) {
      show({ step: 'failed', image, problem: toProblem(error) })
    }
  }, [transport])

  const image = state.step === 'empty' ? undefined : state.image
  useEffect(() => image?.release, [image])

  const fail = useCallback((problem: Problem) => {
    abort.current()
    setState({ step: 'failed', problem })
  }, [])
  const select = useCallback((next: SelectedImage) => void upload(next, options), [upload, options])
  const setOptions = (next: AnalysisOptions) => {
    storeOptions(next)
    if (image) {
      void upload(image, next)
    }
  }
  const cancel = () => {
    abort.current()
    setState({ step: 'empty' })
  }
  return { state, options, select, setOptions, fail, cancel }
}
