/** Measures events per second over the last `span` milliseconds. */
export class Rate {
  private times: number[] = []

  constructor(private readonly span = 2000) {}

  /** Records an event at `now` and returns the rate; 0 until there are two events. */
  tick(now: number): number {
    this.times.push(now)
    this.times = this.times.filter((time) => now - time <= this.span)
    const first = this.times[0] ?? now
    return now > first ? ((this.times.length - 1) * 1000) / (now - first) : 0
  }
}
