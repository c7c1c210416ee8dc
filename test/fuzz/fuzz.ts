import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

export interface FuzzOptions {
  /** Shared out evenly among the readers. */
  readonly seconds: number;
  readonly seed: number;
  /** Only readers whose name contains this. */
  readonly only?: string;
  /** A module with `fuzzedReaders`; ours by default. */
  readonly readers?: URL;
  /** Seconds after which a reader that is busy with one input counts as hanging. */
  readonly hangsAfter?: number;
}

export interface FuzzedResult {
  readonly reader: string;
  /** Inputs that it was given. */
  readonly runs: number;
  /** Those of them that it refused, with a typed error. */
  readonly refused: number;
  /** null: none. */
  readonly failure: { readonly message: string; readonly file: string } | null;
}

/** What the thread says of a reader that is done. */
export interface ThreadResult {
  readonly reader: string;
  readonly runs: number;
  readonly refused: number;
  readonly failure: { readonly message: string; readonly input: Uint8Array } | null;
}

export interface ThreadTask extends Omit<FuzzOptions, 'readers'> {
  readonly module: string;
  /** Numbers as below, then the present input. */
  readonly shared: SharedArrayBuffer;
}

/** Places in the shared memory: counts the inputs; the reader's index; how long its input is. */
export const shared = { count: 0, reader: 1, length: 2, input: 16 } as const;
/** Bytes of an input that are kept for a report of a hang. */
const largestInput = 1 << 20;

/**
 * Gives each reader files that are nearly right, for so long: it must return a value, or throw an error that says which
 * file is wrong, within two seconds of processor time and 200 MB. In a thread of its own, so that one that hangs is found.
 *
 * @returns a result a reader, in their order; of one that hangs the last.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzedResult[]> {
  const { readers = new URL('./readers.js', import.meta.url), hangsAfter = 20, ...task } = options;
  const memory = new SharedArrayBuffer(shared.input + largestInput);
  const thread = new Worker(new URL('./fuzzThread.js', import.meta.url), {
    workerData: { ...task, module: readers.href, shared: memory } satisfies ThreadTask,
  });
  const results: ThreadResult[] = [];
  try {
    const hang = await finished(thread, new Int32Array(memory, 0, 4), hangsAfter, (result) => results.push(result));
    if (hang) results.push(hangOf(memory, hangsAfter));
  } finally {
    await thread.terminate();
  }
  return Promise.all(results.map((result) => withFile(result, options.seed)));
}

/** @returns true when the thread hangs, false when it is done. */
function finished(
  thread: Worker,
  numbers: Int32Array,
  hangsAfter: number,
  onResult: (result: ThreadResult) => void,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // Of the processor: a busy machine makes no reader hang. One that waits for ever takes none, so that the clock counts a tenth.
    const seconds = (): number => process.cpuUsage().user / 1e6 + performance.now() / 10_000;
    let last = { count: -1, at: seconds() };
    const watch = setInterval(() => {
      const count = Atomics.load(numbers, shared.count);
      if (count !== last.count) last = { count, at: seconds() };
      else if (count > 0 && seconds() - last.at > hangsAfter) end(() => resolve(true));
    }, 200);
    const end = (settle: () => void): void => {
      clearInterval(watch);
      settle();
    };
    thread.on('message', onResult);
    thread.once('error', (error) => end(() => reject(error)));
    thread.once('exit', (code) =>
      end(() => (code === 0 ? resolve(false) : reject(new Error(`the thread ended with code ${code}`)))),
    );
  });
}

function hangOf(memory: SharedArrayBuffer, hangsAfter: number): ThreadResult {
  const numbers = new Int32Array(memory, 0, 4);
  const length = Math.min(largestInput, Atomics.load(numbers, shared.length));
  const input = Uint8Array.from(new Uint8Array(memory, shared.input, length));
  const message = `busy with one input for ${hangsAfter} s`;
  return { reader: `number ${Atomics.load(numbers, shared.reader)}`, runs: 0, refused: 0, failure: { message, input } };
}

async function withFile({ failure, ...result }: ThreadResult, seed: number): Promise<FuzzedResult> {
  if (failure === null) return { ...result, failure };
  const file = join(tmpdir(), `tempeh-fuzz-${seed}-${result.reader.replace(/\W+/g, '-')}.bin`);
  await writeFile(file, failure.input);
  return { ...result, failure: { message: failure.message, file } };
}
