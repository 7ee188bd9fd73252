import { TEXTS, fill, languageOf } from '../../src/texts'

type Tree = string | Tree[] | { [name: string]: Tree }

/** The names in braces of each text, by its path. */
function holes(tree: Tree, path = ''): Record<string, string[]> {
  if (typeof tree === 'string') {
    return { [path]: (tree.match(/\{\w+\}/g) ?? []).sort() }
  }
  const parts = Object.entries(tree).map(([name, part]) => holes(part, `${path}.${name}`))
  return Object.assign({}, ...parts) as Record<string, string[]>
}

test('both languages have the same texts with the same names to fill in', () => {
  expect(holes(TEXTS.zh as unknown as Tree)).toEqual(holes(TEXTS.en as unknown as Tree))
})

test('Chinese is written in Chinese', () => {
  const { otherLanguage: _, otherLanguageTag: __, json: ___, kilobytes: ____, ...rest } = TEXTS.zh
  const texts = Object.values(rest).filter((text) => typeof text === 'string')
  expect(texts.filter((text) => !/\p{Script=Han}/u.test(text))).toEqual([])
})

test('names are filled in, and one that is missing stays to be seen', () => {
  expect(fill('{a} of {b}', { a: 1 })).toBe('1 of {b}')
})

test.each([['zh-CN', 'zh'], ['zh_TW', 'zh'], ['ZH', 'zh'], ['en-GB', 'en'], ['de', 'en'], ['', 'en']])(
  'the language of %j is %s', (tag, language) => expect(languageOf(tag)).toBe(language))
