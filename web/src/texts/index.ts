import { en, type Texts } from './en'
import { zh } from './zh'

export type { Texts }
export type Language = 'en' | 'zh'

export const TEXTS: Record<Language, Texts> = { en, zh }

/** Chinese for zh, zh-CN, zh_TW and the like, English for all others. */
export function languageOf(tag: string): Language {
  return tag.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

/** How many faces there are, in words; `none` where there is none. */
export function countOf(count: number, none: string, texts: Texts): string {
  if (count === 0) {
    return none
  }
  return count === 1 ? texts.oneFace : fill(texts.manyFaces, { count })
}

/** A text with its names in braces filled in. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}
