/** Steps a second over the last steps, as they went by on a clock of one's own. */
export class Throughput {
  private readonly times: number[] = [];

  constructor(
    private readonly window = 50,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** A step is done. */
  tick(): void {
    this.times.push(this.now());
    if (this.times.length > this.window + 1) this.times.shift();
  }

  /** 0 until there are two steps. */
  get stepsPerSecond(): number {
    const [first, last] = [this.times[0], this.times.at(-1)];
    if (first === undefined || last === undefined || last <= first) return 0;
    return ((this.times.length - 1) * 1000) / (last - first);
  }
}
