import type { Component, PrivacySheetProps } from './types'

/** A browser asks by itself before it gives the camera; the rest is said on the page. */
export const PrivacySheet: Component<PrivacySheetProps> = () => null
