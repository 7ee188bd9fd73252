import type { Part, SheetProps } from './contract'

/** A browser asks by itself before it gives the camera; the rest is said on the page. */
export const PrivacySheet: Part<SheetProps> = () => null
