import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const BUILT = join(__dirname, '../../dist/weapp')

interface AppJson {
  pages: string[]
  permission: Record<string, { desc: string }>
  tabBar: { list: { pagePath: string }[] }
  darkmode: boolean
  themeLocation: string
  __usePrivacyCheck__: boolean
}

function app(): AppJson {
  if (!existsSync(join(BUILT, 'app.json'))) {
    throw new Error('dist/weapp is missing; run npm run build:weapp')
  }
  return JSON.parse(readFileSync(join(BUILT, 'app.json'), 'utf-8')) as AppJson
}

function bytes(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true })
  const sizes = entries.map((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? bytes(path) : statSync(path).size
  })
  return sizes.reduce((sum, size) => sum + size, 0)
}

test('app.json has the four pages, all of them tabs, each with its files', () => {
  const { pages, tabBar } = app()
  expect(pages).toEqual(['photo', 'camera', 'models', 'privacy'].map((name) => `pages/${name}/index`))
  expect(tabBar.list.map(({ pagePath }) => pagePath)).toEqual(pages)
  for (const page of pages) {
    for (const kind of ['js', 'json', 'wxml']) {
      expect(existsSync(join(BUILT, `${page}.${kind}`))).toBe(true)
    }
  }
})

test('app.json declares the camera, the one scope of ours that it may, and has the privacy check on', () => {
  const { permission, __usePrivacyCheck__: check } = app()
  expect(Object.keys(permission)).toEqual(['scope.camera'])
  expect(Object.values(permission).every(({ desc }) => desc.length > 10 && desc.length <= 30)).toBe(true)
  expect(check).toBe(true)
})

test('each color variable has a value in both themes', () => {
  const text = readFileSync(join(BUILT, 'app.json'), 'utf-8')
  const names = [...text.matchAll(/"@(\w+)"/g)].map((match) => match[1]!)
  const themes = JSON.parse(readFileSync(join(BUILT, app().themeLocation), 'utf-8')) as Record<string, object>
  expect(names.length).toBeGreaterThan(0)
  for (const theme of ['light', 'dark']) {
    expect(Object.keys(themes[theme]!)).toEqual(expect.arrayContaining(names))
  }
})

test('the main package, which is everything, is below 2 MB', () => {
  const size = bytes(BUILT)
  console.log(`weapp: ${(size / 1024).toFixed(0)} KiB`)
  expect(size).toBeLessThan(2 * 1024 * 1024)
})

test('the templates bind what the components need: camera frames, consent, canvas', () => {
  const templates = readFileSync(join(BUILT, 'base.wxml'), 'utf-8')
  for (const binding of ['bindinitdone', 'frame-size', 'bindagreeprivacyauthorization', 'open-type', 'canvas-id']) {
    expect(templates.toLowerCase()).toContain(binding)
  }
})

test('the bundle contains no browser code', () => {
  const scripts = ['common.js', 'app.js', ...app().pages.map((page) => `${page}.js`)]
  const text = scripts.map((name) => readFileSync(join(BUILT, name), 'utf-8')).join('\n')
  for (const name of ['XMLHttpRequest', 'getUserMedia', 'localStorage.']) {
    expect(text).not.toContain(name)
  }
  expect(text).toContain('requirePrivacyAuthorize')
})
