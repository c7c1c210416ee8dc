import { readFile } from 'node:fs/promises';
import type { DatasetConfiguration } from '../../configs/schema/dataset.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { FormatError } from '../formats/formatError.js';
import { headFilePath } from '../headFiles.js';
import { frameName } from '../layout.js';
import { sampleFrames } from '../sampleFrames.js';
import { splitNames, type FrameId } from '../types.js';
import { frameFindings, type FrameContent } from '../worlds/frameFindings.js';
import { templateFindings } from '../worlds/templateFindings.js';
import type { WorldFinding } from '../worlds/types.js';
import { pathsOf, type Lists, type PackLayout } from './datasetFiles.js';
import { DatasetUnusable } from './errors.js';
import { findSequenceFiles, isMissing, type SplitPaths } from './sequenceFiles.js';

/** Frames that are looked at, spread over all. */
const looked = 6;

export interface SampledWorldsOptions {
  readonly directory: string;
  readonly configuration: Pick<DatasetConfiguration, 'imageExtension' | 'worldChecks'> & {
    readonly layout: PackLayout;
  };
  readonly lists: Lists;
  /** mm; null for data that are only predicted from. */
  readonly template: Mesh | null;
  readonly onFrame: (what: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks at some frames before hours go into packing all: the same mistake of unit, world or range in most of them is one
 * of the data set. A single frame stops nothing; files that are missing or damaged are reported by packing.
 *
 * @throws DatasetUnusable
 */
export async function checkSampledWorlds(options: SampledWorldsOptions): Promise<void> {
  const { directory, configuration, lists, template, onFrame, signal } = options;
  const { layout, imageExtension, worldChecks } = configuration;
  if (worldChecks === 'ignore') return;
  if (template !== null) {
    const [wrong] = templateFindings(template, headFilePath(directory, layout.template!));
    if (wrong) throw new DatasetUnusable(`${inWords(wrong)} ${wayOut(directory)}`);
  }
  const frames = splitNames.flatMap((split) => lists[split].map((id) => ({ split, id })));
  const errors: WorldFinding[][] = [];
  for (const { split, id } of sampleFrames(frames, looked)) {
    signal?.throwIfAborted();
    onFrame(`looking at ${frameName(id)}`);
    const found = await findingsOf(pathsOf(directory, layout[split]!), id, imageExtension, template);
    if (found) errors.push(found.filter(({ severity }) => severity === 'error'));
  }
  for (const finding of errors.flat()) {
    const count = errors.filter((ofFrame) => ofFrame.some((other) => other.part === finding.part)).length;
    if (2 * count <= errors.length) continue;
    const share = `${count} of ${errors.length} frames that were looked at before packing cannot be right`;
    throw new DatasetUnusable(`${share}: ${inWords(finding)} ${wayOut(directory)}`);
  }
}

/** null where the frame cannot be read. */
async function findingsOf(
  paths: SplitPaths,
  id: FrameId,
  imageExtension: string,
  template: Mesh | null,
): Promise<WorldFinding[] | null> {
  const [files] = (await findSequenceFiles(paths, [id], imageExtension)).frames;
  const read = async (file: string | null): Promise<{ bytes: Buffer; file: string } | null> =>
    file === null ? null : { bytes: await readFile(file), file };
  try {
    const views: FrameContent['views'][number][] = [];
    for (const [name, file] of files!.images) views.push({ name, ...(await read(file))! });
    const content = { views, scan: await read(files!.scan), registration: await read(files!.registration) };
    return await frameFindings(content, { template, volume: null });
  } catch (error) {
    if (error instanceof FormatError || isMissing(error)) return null;
    throw error;
  }
}

function inWords({ part, file, found, expected, advice }: WorldFinding): string {
  return `the ${part}${file === null ? '' : ` ${file}`}: found ${found}; expected ${expected}. ${advice}`;
}

function wayOut(directory: string): string {
  return (
    `(\`tempeh-flow dataset check --directory ${directory}\` and \`dataset show\` tell more; ` +
    'dataset.worldChecks: ignore packs the data as they are.)'
  );
}
