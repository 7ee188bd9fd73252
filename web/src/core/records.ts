/** The JSON of the service, as `mien --json` writes it. Pixels of the upright picture, corner of the first one (0, 0). */

export type Point = [x: number, y: number]
export type Box = [x0: number, y0: number, x1: number, y1: number]

/** How the head is turned, in degrees. */
export interface Pose {
  yaw: number
  pitch: number
  roll: number
}

export interface Landmarks {
  scheme: string
  points: Point[]
  scores: number[]
  pose: Pose | null
}

/** `track`: in a stream, the number that stays with the face. */
export interface Face {
  box: Box
  score: number
  points: Point[] | null
  landmarks?: Landmarks
  track?: number
}

export interface Found {
  width: number
  height: number
  faces: Face[]
}

/** A face cut out and turned upright; `png` is base64. */
export interface Chip {
  file: string
  size: number
  to_picture: number[][]
  box: Box
  score: number
  png: string
}

/** The answer about one picture. */
export interface Analysis extends Found {
  picture: string
  chips: Chip[]
}

/** What a shipped network says about itself. */
export interface Card {
  name: string
  task: string
  input: { size: number }
  parameters: number
  license: string
  training_data: string
  source: string
  scores: Record<string, number>
  file: string
  bytes: number
}

/** The answer about one frame of the stream; `ms` is the time that the service needed. */
export interface FrameAnswer extends Found {
  frame: number
  dropped: number
  ms: number
}
