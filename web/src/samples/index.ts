import type { Analysis } from '../core/records'
import crowd from './crowd.jpg'
import crowdThumbnail from './crowd.thumbnail.jpg'
import dark from './dark.jpg'
import darkThumbnail from './dark.thumbnail.jpg'
import masked from './masked.jpg'
import maskedThumbnail from './masked.thumbnail.jpg'
import portrait from './portrait.jpg'
import portraitAnalysis from './portrait.json'
import portraitThumbnail from './portrait.thumbnail.jpg'
import rotated from './rotated.jpg'
import rotatedThumbnail from './rotated.thumbnail.jpg'

/** An image to try; scripts/make_samples.py made it. */
export interface Sample {
  name: 'portrait' | 'rotated' | 'dark' | 'masked' | 'crowd'
  url: string
  thumbnail: string
}

export const SAMPLES: Sample[] = [
  { name: 'portrait', url: portrait, thumbnail: portraitThumbnail },
  { name: 'rotated', url: rotated, thumbnail: rotatedThumbnail },
  { name: 'dark', url: dark, thumbnail: darkThumbnail },
  { name: 'masked', url: masked, thumbnail: maskedThumbnail },
  { name: 'crowd', url: crowd, thumbnail: crowdThumbnail },
]

/** The first sample and the response of the service to it. */
export const EXAMPLE = { url: portrait, analysis: portraitAnalysis as unknown as Analysis }
