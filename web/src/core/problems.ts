/** Problem types of the service (docs/serve.md). */
export const SERVICE_CODES = [
  'bad-request',
  'unauthorized',
  'not-found',
  'method-not-allowed',
  'too-slow',
  'too-many-bytes',
  'too-many-pixels',
  'unsupported-media-type',
  'unsupported-image',
  'damaged-image',
  'no-image',
  'bad-option',
  'too-many-requests',
  'internal-error',
  'busy',
  'took-too-long',
] as const

/** Problems on this side of the connection. */
export const CLIENT_CODES = [
  'unreachable',
  'invalid-response',
  'stream-ended',
  'origin',
  'idle',
  'camera-refused',
  'camera-missing',
  'camera-insecure',
  'camera-stopped',
  'privacy-refused',
  'not-opened',
  'not-drawn',
  'not-saved',
  'not-copied',
] as const

export type Code = (typeof SERVICE_CODES)[number] | (typeof CLIENT_CODES)[number]

/** An error that is reported to the user by its code; `detail` is the message of the service, if any. */
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

/** A response as received, whatever its status. */
export interface HttpResponse {
  status: number
  body: string
  retryAfter?: number
}

/** Returns the JSON body of a successful response; throws the Problem of any other. */
export function parseResponse<T>(response: HttpResponse): T {
  const body = parseObject(response.body)
  if (response.status >= 200 && response.status < 300 && body) {
    return body as T
  }
  throw problemFrom(body, response)
}

/** Returns the Problem of a problem document, or of the status alone, if a proxy responded instead of the service. */
export function problemFrom(body: object | null, response: Pick<HttpResponse, 'status' | 'retryAfter'>): Problem {
  const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown }
  const known = isCode(code) ? code : CODE_BY_STATUS[response.status]
  return new Problem(known ?? 'invalid-response', typeof detail === 'string' ? detail : '', response.retryAfter)
}

/** Returns anything thrown as a Problem. */
export function toProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('invalid-response', String(error))
}

export function isCode(code: unknown): code is Code {
  return ([...SERVICE_CODES, ...CLIENT_CODES] as unknown[]).includes(code)
}

const CODE_BY_STATUS: Partial<Record<number, Code>> = {
  400: 'bad-request',
  401: 'unauthorized',
  404: 'not-found',
  405: 'method-not-allowed',
  408: 'too-slow',
  413: 'too-many-bytes',
  415: 'unsupported-image',
  429: 'too-many-requests',
  500: 'internal-error',
  502: 'unreachable',
  503: 'busy',
  504: 'took-too-long',
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}
