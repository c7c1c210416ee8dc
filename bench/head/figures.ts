/** The coarse head computed one way, at paper scale. Seconds, each the best of some rounds. */
export interface HeadFigures {
  /** `avx512`, `avx2`: our kernel; `operations`: TensorFlow's. */
  readonly way: string;
  readonly forward: number;
  readonly backward: number;
}

export interface HeadResult {
  readonly figures: readonly HeadFigures[];
  /** 10⁹ operations of both passes, by their definition. */
  readonly gigaOperations: number;
  /** 10⁹ operations a second of a large matrix product between the rounds, the best. */
  readonly machineRate: number;
}
