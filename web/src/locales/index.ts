import { en, type Texts } from './en'
import { zh } from './zh'

export type { Texts }
export type Language = 'en' | 'zh'

export const TEXTS: Record<Language, Texts> = { en, zh }

/** Returns Chinese for zh, zh-CN, zh_TW and the like, English otherwise. */
export function languageOf(tag: string): Language {
  return tag.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

/** Returns the number of faces in words. */
export function countFaces(count: number, texts: Texts): string {
  if (count === 0) {
    return texts.noFaces
  }
  return count === 1 ? texts.oneFace : format(texts.manyFaces, { count })
}

/** Fills the placeholders of a text. */
export function format(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}
