/** What a platform gives to the pages; `*.h5.*` is the browser, `*.weapp.*` the mini-program. */
import type { ReactNode } from 'react'
import type { Shown } from '../core/overlay'
import type { Problem } from '../core/problems'
import type { Chip, Found } from '../core/records'
import type { Picture, Wire } from '../core/service'
import type { OpenSocket } from '../core/stream'
import type { Language, Texts } from '../texts'

/** Requests to the service; `key` is asked for at each, and empty where the service wants none. */
export type MakeWire = (key: () => string) => Wire

export type PageName = 'photo' | 'camera' | 'models' | 'privacy'

export interface Device {
  openSocket: OpenSocket
  /** The service, as people would call it. */
  host: string
  language(): Language
  remember(language: Language): void
  /** Puts the names of the pages where the platform shows them. */
  name(texts: Texts, language: Language, title: string): void
  copy(text: string): Promise<void>
  /** Saves a PNG; true where people should be told, because nothing is seen of it. */
  save(chip: Chip): Promise<boolean>
  /** The same for all of them at once; `name` is that of the picture. */
  saveAll(chips: Chip[], name: string): Promise<boolean>
  /** Whether the live picture can be flipped; WeChat decides that by itself. */
  mirrors: boolean
  /** Opens the page on which the camera can be allowed, where there is one. */
  openSettings?: () => void
}

/** Under which address each chip can be shown. */
export type UseChipAddresses = (chips: Chip[]) => string[]

export interface ChooserProps {
  texts: Texts
  /** A row of buttons instead of the large area. */
  small: boolean
  onPicture(picture: Picture): void
  onProblem(problem: Problem): void
}

export interface OverlayProps {
  id: string
  label: string
  found: Found
  shown: Shown
}

export interface CameraProps {
  label: string
  /** What the button says that turns to the other camera, on a phone. */
  otherLabel: string
  mirror: boolean
  /** Whether a frame is wanted now; asked before each. */
  wanted(): boolean
  /** The camera runs: the size of its picture, and whether it looks at the person. */
  onStart(width: number, height: number, selfie: boolean): void
  onFrame(jpeg: ArrayBuffer): void
  onProblem(problem: Problem): void
}

export interface SheetProps {
  texts: Texts
  host: string
}

export type Part<Props> = (props: Props) => ReactNode

export interface NavigationProps {
  page: PageName
  texts: Texts
  children: ReactNode
}
