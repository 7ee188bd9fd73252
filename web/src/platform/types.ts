/** What each platform provides: `*.h5.*` is the browser, `*.weapp.*` the mini-program. */
import type { ReactNode } from 'react'
import type { Drawing } from '../core/drawing'
import type { OverlayOptions } from '../core/overlay'
import type { Problem } from '../core/problems'
import type { Detections } from '../core/records'
import type { SelectedImage, Transport } from '../core/service'
import type { OpenSocket } from '../core/stream'
import type { Language, Texts } from '../locales'
import type { Sample } from '../samples'

export type Component<Props> = (props: Props) => ReactNode

/** `key` returns the API key, read at each request; empty if there is none. */
export type CreateTransport = (key: () => string) => Transport

export type PageName = 'photo' | 'camera' | 'models' | 'privacy'

/** A PNG file made by the page; `blob` is its content in browsers. */
export interface RenderedImage {
  name: string
  url: string
  blob?: Blob
  /** Frees the URL. */
  release(): void
}

/** Decodes `source` once and makes one image per drawing. Rejects with a Problem if it cannot. */
export type RenderImages = (source: string, drawings: Drawing[]) => Promise<RenderedImage[]>

export interface Device {
  openSocket: OpenSocket
  /** Address of the service, without a trailing slash. */
  service: string
  /** Host of the service, as shown to users. */
  host: string
  language(): Language
  storeLanguage(language: Language): void
  /** Sets the title of the page, and the names of the tabs if the platform draws them. */
  setTitle(texts: Texts, language: Language, title: string): void
  copy(text: string): Promise<void>
  /** Saves an image; returns whether the page must confirm it because the platform does not. */
  saveImage(image: RenderedImage): Promise<boolean>
  /** Saves several images; `name` is the stem of the archive. */
  saveImages(images: RenderedImage[], name: string): Promise<boolean>
  /** Saves a text file, if the platform has downloads. */
  saveText?: (name: string, text: string) => void
  /** Loads a sample image as if it had been selected. */
  openSample(sample: Sample): Promise<SelectedImage>
  /** Whether the live image can be mirrored; WeChat decides that itself. */
  mirrors: boolean
  /** Opens the page on which camera and album can be allowed, if there is one. */
  openSettings?: () => void
}

export interface ImagePickerProps {
  texts: Texts
  /** A row of buttons instead of the drop zone. */
  compact: boolean
  onImage(image: SelectedImage): void
  onProblem(problem: Problem): void
}

export interface OverlayProps {
  id: string
  label: string
  detections: Detections
  options: OverlayOptions
  /** Called with the index of the face that was clicked, if any; browsers only. */
  onSelect?: (index: number | undefined) => void
}

export interface CameraProps {
  label: string
  /** Label of the button that switches cameras, on a phone. */
  otherLabel: string
  mirror: boolean
  /** Whether a frame is wanted now; called before each frame. */
  wanted(): boolean
  /** The camera has started: size of its frames, and whether it faces the user. */
  onStart(width: number, height: number, selfie: boolean): void
  onFrame(jpeg: ArrayBuffer): void
  onProblem(problem: Problem): void
}

export interface PrivacySheetProps {
  texts: Texts
  host: string
}

export interface NavigationProps {
  page: PageName
  texts: Texts
  children: ReactNode
}
