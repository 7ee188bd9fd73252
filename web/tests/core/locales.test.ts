import { TEXTS, format, languageOf } from '../../src/locales'

type Tree = string | Tree[] | { [name: string]: Tree }

/** The placeholders of each text, by its path. */
function placeholders(tree: Tree, path = ''): Record<string, string[]> {
  if (typeof tree === 'string') {
    return { [path]: (tree.match(/\{\w+\}/g) ?? []).sort() }
  }
  const parts = Object.entries(tree).map(([name, part]) => placeholders(part, `${path}.${name}`))
  return Object.assign({}, ...parts) as Record<string, string[]>
}

test('both languages have the same texts with the same placeholders', () => {
  expect(placeholders(TEXTS.zh as unknown as Tree)).toEqual(placeholders(TEXTS.en as unknown as Tree))
})

test('Chinese texts are in Chinese', () => {
  const { otherLanguage: _, otherLanguageTag: __, json: ___, kilobytes: ____, curl: _____, python: ______, ...rest } = TEXTS.zh
  const texts = Object.values(rest).filter((text) => typeof text === 'string')
  expect(texts.filter((text) => !/\p{Script=Han}/u.test(text))).toEqual([])
})

test('placeholders are filled; one without a value stays visible', () => {
  expect(format('{a} of {b}', { a: 1 })).toBe('1 of {b}')
})

test.each([['zh-CN', 'zh'], ['zh_TW', 'zh'], ['ZH', 'zh'], ['en-GB', 'en'], ['de', 'en'], ['', 'en']])(
  'the language of %j is %s', (tag, language) => expect(languageOf(tag)).toBe(language))
