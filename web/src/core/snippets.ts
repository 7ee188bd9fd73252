import type { Analysis } from './records'
import { analyzePath, analyzeQuery, type AnalysisOptions } from './service'

/** A request to repeat outside of the page. */
export interface SnippetInput {
  /** Address of the service, without a trailing slash. */
  service: string
  /** Name of the image file. */
  name: string
  options: AnalysisOptions
  /** Whether the service requires an API key; the key itself is read from the environment. */
  authenticated: boolean
}

export function curlSnippet({ service, name, options, authenticated }: SnippetInput): string {
  return [
    'curl',
    ...(authenticated ? ['  -H "X-API-Key: $MIEN_API_KEY"'] : []),
    `  -F ${shellQuote(`image=@"${name.replace(/(["\\])/g, '\\$1')}"`)}`,
    `  ${shellQuote(service + analyzePath(analyzeQuery(options)))}`,
  ].join(' \\\n')
}

export function pythonSnippet({ service, name, options, authenticated }: SnippetInput): string {
  const key = authenticated ? ', key=os.environ["MIEN_API_KEY"]' : ''
  const size = options.minFaceSize ? `, min_face_size=${options.minFaceSize}` : ''
  return [
    ...(authenticated ? ['import os', ''] : []),
    "from mien.client import Client  # pip install 'mien[client]'",
    '',
    `with Client(${JSON.stringify(service)}${key}) as client:`,
    `    result = client.analyze(${JSON.stringify(name)}, aligned_faces=True${size})`,
    'for face in result["faces"]:',
    '    print(face["box"], face["score"], face["landmarks"]["pose"])',
  ].join('\n')
}

/** The response, indented, with rows of numbers on one line and without image data. */
export function jsonSnippet(analysis: Analysis): string {
  const aligned = analysis.aligned_faces?.map(({ png: _, ...face }) => face)
  const text = JSON.stringify({ ...analysis, aligned_faces: aligned }, null, 1)
  return text.replace(/\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]/g, (_, row: string) => `[${row.replace(/\s+/g, ' ')}]`)
}

function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`
}
