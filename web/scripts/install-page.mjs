// Copies the built page to where `mien serve` and the wheel expect it.
import { cpSync, rmSync } from 'node:fs'

const page = new URL('../../src/mien/server/page/', import.meta.url)
rmSync(page, { recursive: true, force: true })
cpSync(new URL('../dist/h5/', import.meta.url), page, { recursive: true })
