import { Problem, isCode, problemOf, type Code } from './problems'
import type { FrameAnswer } from './records'

/** An open connection, of the browser or of the mini-program. */
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
  answer(answer: FrameAnswer, milliseconds: number): void
  problem(problem: Problem): void
}

const PATH = '/v1/stream?landmarks=true&fps=15'

/** Frames on their way at once: while the service looks at one, the next is already travelling. */
const IN_FLIGHT = 2

/** Sends frames no faster than they are answered, so that nothing waits anywhere. */
export class Stream {
  private readonly socket: Socket
  private readonly sentAt = new Map<number, number>()
  private sent = 0
  private answered = 0
  private open = false
  private ended = false

  constructor(
    openSocket: OpenSocket,
    private readonly events: StreamEvents,
    private readonly key = '',
    private readonly now: () => number = Date.now,
  ) {
    this.socket = openSocket(PATH, {
      opened: () => this.onOpened(),
      message: (text) => this.onMessage(text),
      closed: (code, reason) => this.onClosed(code, reason),
    })
  }

  /** Whether a frame may go now. */
  get ready(): boolean {
    return this.open && this.sent - this.answered < IN_FLIGHT
  }

  /** Sends one JPEG. */
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
    if (this.key) {
      this.socket.send(JSON.stringify({ key: this.key }))
    }
    this.open = true
  }

  private onMessage(text: string): void {
    if (this.ended) {
      return
    }
    const answer = JSON.parse(text) as FrameAnswer & { error?: { status: number } }
    const waited = this.now() - (this.sentAt.get(answer.frame) ?? this.now())
    this.answered = answer.frame + 1 // the frames before it were answered or dropped
    for (const frame of this.sentAt.keys()) {
      if (frame <= answer.frame) {
        this.sentAt.delete(frame)
      }
    }
    if (answer.error) {
      this.events.problem(problemOf(answer.error, answer.error))
    } else {
      this.events.answer(answer, waited)
    }
  }

  private onClosed(code: number, reason: string): void {
    if (this.ended) {
      return
    }
    this.ended = true
    this.open = false
    this.events.problem(new Problem(closedWith(code, reason), reason))
  }
}

/** The code for the way in which a stream ended. */
export function closedWith(code: number, reason: string): Code {
  if (isCode(reason)) {
    return reason
  }
  return { 1006: 'unreachable', 1009: 'too-many-bytes', 1013: 'busy' }[code] as Code | undefined ?? 'stream-ended'
}
