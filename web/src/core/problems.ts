/** What can go wrong: the codes of the service (docs/serve.md), and what happens before it is reached. */
export const SERVICE_CODES = [
  'unauthorized',
  'not-found',
  'method-not-allowed',
  'too-slow',
  'too-many-bytes',
  'too-many-pixels',
  'unsupported-media-type',
  'unsupported-picture',
  'damaged-picture',
  'no-picture',
  'bad-option',
  'too-many-requests',
  'internal-error',
  'busy',
  'took-too-long',
] as const

export const OWN_CODES = [
  'unreachable',
  'strange-answer',
  'stream-ended',
  'origin',
  'idle',
  'camera-refused',
  'camera-missing',
  'camera-insecure',
  'camera-stopped',
  'privacy-refused',
  'not-chosen',
  'not-saved',
  'not-copied',
] as const

export type Code = (typeof SERVICE_CODES)[number] | (typeof OWN_CODES)[number]

/** Something that went wrong, told to people by its code; `detail` is the sentence of the service, if it sent one. */
export class Problem extends Error {
  constructor(
    readonly code: Code,
    readonly detail = '',
    readonly retryAfter?: number,
  ) {
    super(detail || code)
    this.name = 'Problem'
  }
}

/** An answer as it comes off the wire: whoever carries it says nothing about what the status means. */
export interface Answer {
  status: number
  body: string
  retryAfter?: number
}

/** The JSON of an answer; throws the Problem that it holds. */
export function read<T>(answer: Answer): T {
  const body = parse(answer.body)
  if (answer.status >= 200 && answer.status < 300 && body) {
    return body as T
  }
  throw problemOf(body, answer)
}

/** The Problem of a problem document, or of a status alone where a proxy answered instead of the service. */
export function problemOf(body: object | null, answer: Pick<Answer, 'status' | 'retryAfter'>): Problem {
  const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown }
  const known = isCode(code) ? code : BY_STATUS[answer.status]
  return new Problem(known ?? 'strange-answer', typeof detail === 'string' ? detail : '', answer.retryAfter)
}

/** Whatever was thrown, as a Problem. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('strange-answer', String(error))
}

export function isCode(code: unknown): code is Code {
  return ([...SERVICE_CODES, ...OWN_CODES] as unknown[]).includes(code)
}

const BY_STATUS: Partial<Record<number, Code>> = {
  401: 'unauthorized',
  404: 'not-found',
  405: 'method-not-allowed',
  408: 'too-slow',
  413: 'too-many-bytes',
  415: 'unsupported-picture',
  429: 'too-many-requests',
  500: 'internal-error',
  502: 'unreachable',
  503: 'busy',
  504: 'took-too-long',
}

function parse(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}
