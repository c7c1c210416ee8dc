import path from 'node:path';
import { packageRoot } from '../configs/packageRoot.js';
import type { MeasureCase } from './cases.js';
import type { PytorchFigures, PytorchVariant } from './figures.js';
import { runForJson } from './runProcess.js';

const program = path.join(packageRoot, 'bench', 'pytorch', 'bench.py');

/** How the rewrite is run, with the options of `bench.py`. */
const variantOptions: Readonly<Record<PytorchVariant, readonly string[]>> = {
  'channels-last': ['--memory-format', 'channels-last'],
  contiguous: ['--memory-format', 'contiguous'],
  compiled: ['--memory-format', 'channels-last', '--compile'],
};

export const pytorchVariants = Object.keys(variantOptions) as PytorchVariant[];

/**
 * Measures the PyTorch rewrite of a case, in each variant: a process each.
 *
 * @returns the fastest: what PyTorch can do is what counts.
 * @throws Error where none can be measured.
 */
export async function besidePytorch(
  python: string,
  { name, scale, views, batch, vertices, repeats }: MeasureCase,
  variants: readonly PytorchVariant[],
  signal: AbortSignal,
): Promise<PytorchFigures> {
  const numbers = { views, batch, vertices, repeats: repeats ?? 0 };
  const args = Object.entries(numbers).flatMap(([option, value]) => [`--${option}`, String(value)]);
  const measured: PytorchFigures[] = [];
  let failure: unknown;
  for (const variant of variants) {
    try {
      const command = [program, '--case', name, '--scale', scale, ...args, ...variantOptions[variant]];
      const figures = (await runForJson(python, command, signal)) as Omit<PytorchFigures, 'variant'>;
      measured.push({ ...figures, variant });
      process.stderr.write(`; PyTorch, ${variant} ${figures.seconds.toPrecision(3)} s`);
    } catch (cause) {
      if (signal.aborted) throw cause;
      failure = cause;
      // torch.compile needs a compiler, and not every version has all operations.
      process.stderr.write(`; PyTorch, ${variant}: ${String(cause).split('\n').at(-1)}`);
    }
  }
  const [fastest] = measured.sort((a, b) => a.seconds - b.seconds);
  if (fastest === undefined) throw failure;
  return fastest;
}
