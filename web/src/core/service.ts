import { read, type Answer } from './problems'
import type { Analysis, Card } from './records'

/** A picture that was chosen; `source` is the file in a browser and its path in the mini-program.
 *  Width and height are 0 where the device cannot show it; the service may be able to read it all the same. */
export interface Picture {
  name: string
  url: string
  width: number
  height: number
  source: Blob | string
  /** Gives back what showing it holds. */
  release(): void
}

export type Progress = (fraction: number) => void

/** What is on its way; `answer` stays open when it was cancelled. */
export interface Upload<T> {
  answer: Promise<T>
  cancel(): void
}

/** Carries requests to the service; an answer fails with a Problem only where none came. */
export interface Wire {
  get(path: string): Promise<Answer>
  upload(path: string, picture: Picture, progress: Progress): Upload<Answer>
}

/** Faces with five points, landmarks, pose and chips. */
export function analyze(wire: Wire, picture: Picture, progress: Progress): Upload<Analysis> {
  const { answer, cancel } = wire.upload('/v1/analyze?landmarks=true&chips=true', picture, progress)
  return { answer: answer.then(read<Analysis>), cancel }
}

export async function models(wire: Wire): Promise<Card[]> {
  return read<{ models: Card[] }>(await wire.get('/v1/models')).models
}

/** The JSON to copy: what the service said, without the bytes of the chips. */
export function jsonText(analysis: Analysis): string {
  const { chips, ...rest } = analysis
  const told = { ...rest, chips: chips.map(({ png: _, ...chip }) => chip) }
  const text = JSON.stringify(told, null, 1)
  return text.replace(/\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]/g, (_, row: string) => `[${row.replace(/\s+/g, ' ')}]`)
}
