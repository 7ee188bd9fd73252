import { Problem, isCode, problemFrom, type Code } from './problems'
import type { StreamError, StreamResponse } from './records'

/** An open WebSocket of the browser or of the mini-program. */
export interface Socket {
  send(data: ArrayBuffer | string): void
  close(): void
}

export interface SocketEvents {
  opened(): void
  message(text: string): void
  closed(code: number, reason: string): void
}

export type OpenSocket = (path: string, events: SocketEvents) => Socket

export interface StreamEvents {
  response(response: StreamResponse, milliseconds: number): void
  problem(problem: Problem): void
}

export interface StreamOptions {
  /** Side, in pixels, of the smallest face to detect. */
  minFaceSize: number
  key: string
}

/** Frames in flight: one is processed while the next is transmitted. */
const MAX_IN_FLIGHT = 2

/** Sends frames no faster than the service responds, so that no queue builds up. */
export class Stream {
  private readonly socket: Socket
  private readonly sentAt = new Map<number, number>()
  private sent = 0
  private done = 0
  private open = false
  private ended = false

  constructor(
    openSocket: OpenSocket,
    private readonly events: StreamEvents,
    private readonly options: StreamOptions,
    private readonly now: () => number = Date.now,
  ) {
    this.socket = openSocket(`/v1/stream?landmarks=true&fps=15&min_face_size=${options.minFaceSize}`, {
      opened: () => this.onOpened(),
      message: (text) => this.onMessage(text),
      closed: (code, reason) => this.onClosed(code, reason),
    })
  }

  /** Whether a frame may be sent now. */
  get ready(): boolean {
    return this.open && this.sent - this.done < MAX_IN_FLIGHT
  }

  /** Sends one JPEG; ignored unless `ready`. */
  send(jpeg: ArrayBuffer): void {
    if (!this.ready) {
      return
    }
    this.sentAt.set(this.sent, this.now())
    this.sent += 1
    this.socket.send(jpeg)
  }

  close(): void {
    this.ended = true
    this.open = false
    this.socket.close()
  }

  private onOpened(): void {
    if (this.ended) {
      return
    }
    if (this.options.key) {
      this.socket.send(JSON.stringify({ key: this.options.key }))
    }
    this.open = true
  }

  private onMessage(text: string): void {
    if (this.ended) {
      return
    }
    const response = JSON.parse(text) as StreamResponse | StreamError
    const delay = this.now() - (this.sentAt.get(response.frame) ?? this.now())
    this.done = response.frame + 1 // earlier frames were answered or dropped
    for (const frame of this.sentAt.keys()) {
      if (frame <= response.frame) {
        this.sentAt.delete(frame)
      }
    }
    if ('error' in response) {
      this.events.problem(problemFrom(response.error, response.error))
    } else {
      this.events.response(response, delay)
    }
  }

  private onClosed(code: number, reason: string): void {
    if (this.ended) {
      return
    }
    this.ended = true
    this.open = false
    this.events.problem(new Problem(codeOfClose(code, reason), reason))
  }
}

/** Returns the problem code of a close code and its reason. */
export function codeOfClose(code: number, reason: string): Code {
  if (isCode(reason)) {
    return reason
  }
  return { 1006: 'unreachable', 1009: 'too-many-bytes', 1013: 'busy' }[code] as Code | undefined ?? 'stream-ended'
}
