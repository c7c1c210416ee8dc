/** How far fetching, extraction or packing is. */
export interface TransferProgress {
  readonly doneBytes: number;
  /** null until it is known. */
  readonly totalBytes: number | null;
  readonly doneFiles: number;
  readonly totalFiles: number | null;
  /** What is being worked on, or waited for. */
  readonly current: string;
}
