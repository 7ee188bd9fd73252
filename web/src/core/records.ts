/** The JSON of the service; the field types come from its OpenAPI document. Frame: pixels of the upright image. */
import type { components, paths } from './openapi'

type Schemas = components['schemas']
type Replace<Record, Fields> = Omit<Record, keyof Fields> & Fields

export type Point = [x: number, y: number]
export type Box = [x0: number, y0: number, x1: number, y1: number]

/** An affine transform, 2 rows of 3. */
export type Matrix = [[xx: number, xy: number, x: number], [yx: number, yy: number, y: number]]

/** Head pose in degrees. */
export type Pose = Schemas['PoseRecord']

export type Landmarks = Replace<Schemas['LandmarksRecord'], { points: Point[] }>

export type Face = Replace<Schemas['FaceRecord'], { box: Box; keypoints: Point[] | null; landmarks?: Landmarks }>

/** The faces of an image or frame, highest score first. */
export interface Detections {
  width: number
  height: number
  faces: Face[]
}

export type AlignedFace = Replace<Schemas['AlignedFaceRecord'], { to_image: Matrix; box: Box }>

export type Analysis = Replace<Schemas['AnalysisRecord'], { faces: Face[]; aligned_faces?: AlignedFace[] }>

/** The card of a network. */
export type ModelCard = Replace<Schemas['ModelRecord'], { input: { size: number } }>

/** The response to one frame of the stream; `ms` is the processing time. */
export type StreamResponse = Replace<Schemas['StreamRecord'], { faces: Face[] }>

export type StreamError = Schemas['StreamErrorRecord']

/** Query parameters of /v1/analyze. */
export type AnalyzeQuery = NonNullable<paths['/v1/analyze']['post']['parameters']['query']>
