import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { hasControls } from '../../text/printable.js';
import { shared, type ThreadResult, type ThreadTask } from './fuzz.js';
import type { FuzzedReader } from './readers.js';

const task = workerData as ThreadTask;
const { fuzzedReaders, typedErrors } = (await import(task.module)) as {
  readonly fuzzedReaders: readonly FuzzedReader[];
  readonly typedErrors: readonly (new (...items: never[]) => Error)[];
};

/** Seconds of processor time, and bytes, that one small file may take. */
const mostSeconds = 2;
const mostBytes = 200e6;
/** Characters of a message: what a terminal shows at once. */
const longestMessage = 25_000;
const name = 'fuzzed';

const numbers = new Int32Array(task.shared, 0, 4);
const inputs = new Uint8Array(task.shared, shared.input);

function isTyped(error: unknown): error is Error {
  return typedErrors.some((kind) => error instanceof kind);
}

/** Reads an input. @returns false where it is refused. @throws what the reader must not do */
async function reads(reader: FuzzedReader, bytes: Buffer): Promise<boolean> {
  inputs.set(bytes.subarray(0, inputs.length));
  Atomics.store(numbers, shared.length, bytes.length);
  Atomics.add(numbers, shared.count, 1);
  const [before, cpu] = [process.memoryUsage.rss(), process.cpuUsage()];
  let isRead = true;
  try {
    await reader.read(bytes, name);
  } catch (error) {
    if (!isTyped(error)) throw error;
    isRead = false;
    const { message } = error;
    if (message.length > longestMessage) throw new Error(`a message of ${message.length} characters`, { cause: error });
    if (hasControls(message.replaceAll('\n', ''))) throw new Error('control characters in a message', { cause: error });
  }
  const { user, system } = process.cpuUsage(cpu);
  if (user + system > mostSeconds * 1e6) throw new Error(`${(user + system) / 1e6} s of processor time`);
  const grown = process.memoryUsage.rss() - before;
  if (grown > mostBytes) throw new Error(`${Math.round(grown / 1e6)} MB more memory`);
  return isRead;
}

async function fuzzReader(reader: FuzzedReader, milliseconds: number): Promise<ThreadResult> {
  let [runs, refused] = [0, 0];
  const property = fc.asyncProperty(reader.inputs, async (bytes) => {
    runs++;
    if (!(await reads(reader, bytes))) refused++;
  });
  const result = await fc.check(property, {
    seed: task.seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: milliseconds,
    markInterruptAsFailure: false,
  });
  const { failed, counterexample, errorInstance: error } = result;
  if (!failed) return { reader: reader.name, runs, refused, failure: null };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { reader: reader.name, runs, refused, failure: { message, input: counterexample?.[0] ?? Buffer.alloc(0) } };
}

const chosen = fuzzedReaders.map((reader, index) => ({ reader, index }));
const wanted = chosen.filter(({ reader }) => reader.name.includes(task.only ?? ''));
for (const { reader, index } of wanted) {
  Atomics.store(numbers, shared.reader, index);
  parentPort?.postMessage(await fuzzReader(reader, (task.seconds * 1000) / wanted.length));
}
