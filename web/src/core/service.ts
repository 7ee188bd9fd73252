import { parseResponse, type HttpResponse } from './problems'
import type { Analysis, AnalyzeQuery, ModelCard } from './records'

/**
 * An image file selected by the user.
 *
 * `width` and `height` are 0 if the platform cannot decode the file; the service may still be able to.
 * `source` is the file in a browser and its path in the mini-program.
 */
export interface SelectedImage {
  name: string
  url: string
  width: number
  height: number
  source: Blob | string
  /** Frees the URL. */
  release(): void
}

export type OnProgress = (fraction: number) => void

/** A request that can be cancelled; the response of a cancelled request stays pending. */
export interface PendingRequest<T> {
  response: Promise<T>
  cancel(): void
}

/** Sends requests to the service; rejects with a Problem only if there was no response. */
export interface Transport {
  get(path: string): Promise<HttpResponse>
  upload(path: string, image: SelectedImage, onProgress: OnProgress): PendingRequest<HttpResponse>
}

/** Settings of an analysis; undefined: the default of the service. */
export interface AnalysisOptions {
  minFaceSize?: number
}

/** Keypoints, landmarks, pose and alignment; `png` for images that the platform cannot crop itself. */
export function analyzeQuery({ minFaceSize }: AnalysisOptions, png = false): AnalyzeQuery {
  return {
    landmarks: true,
    aligned_faces: true,
    ...(png ? { png } : {}),
    ...(minFaceSize ? { min_face_size: minFaceSize } : {}),
  }
}

export function analyzePath(query: AnalyzeQuery): string {
  return `/v1/analyze?${Object.entries(query).map(([name, value]) => `${name}=${value}`).join('&')}`
}

export function analyze(
  transport: Transport,
  image: SelectedImage,
  options: AnalysisOptions,
  onProgress: OnProgress,
): PendingRequest<Analysis> {
  const path = analyzePath(analyzeQuery(options, image.width === 0))
  const { response, cancel } = transport.upload(path, image, onProgress)
  return { response: response.then(parseResponse<Analysis>), cancel }
}

export async function models(transport: Transport): Promise<ModelCard[]> {
  return parseResponse<{ models: ModelCard[] }>(await transport.get('/v1/models')).models
}
