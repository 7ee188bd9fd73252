/** Counts what happened within the last `span` milliseconds. */
export class Rate {
  private times: number[] = []

  constructor(private readonly span = 2000) {}

  /** Notes one event at `now` and answers with events per second; 0 until there are two. */
  tick(now: number): number {
    this.times.push(now)
    this.times = this.times.filter((time) => now - time <= this.span)
    const first = this.times[0] ?? now
    return now > first ? ((this.times.length - 1) * 1000) / (now - first) : 0
  }
}
