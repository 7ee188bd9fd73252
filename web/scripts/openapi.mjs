// Writes the service's OpenAPI document to dist/openapi.json, without its prose and examples: the types depend on
// neither, so they change only with the interface. PYTHON names the interpreter (default: python3).
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'

const PROSE = ['title', 'description', 'summary']
const EXAMPLES = ['example', 'examples']

const text = execFileSync(process.env.PYTHON ?? 'python3', ['-m', 'mien.server.openapi'], { maxBuffer: 1 << 26 })
const document = JSON.parse(text, (key, value) => {
  const isProse = PROSE.includes(key) && typeof value === 'string' // a property of such a name is an object
  return isProse || EXAMPLES.includes(key) ? undefined : value
})
const folder = new URL('../dist/', import.meta.url)
mkdirSync(folder, { recursive: true })
writeFileSync(new URL('openapi.json', folder), JSON.stringify(document, null, 1))
