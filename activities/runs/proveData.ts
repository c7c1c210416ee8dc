import { access, constants, readFile } from 'node:fs/promises';
import { join, normalize, sep } from 'node:path';
import { findBundle } from '../../datasets/fetch/bundles.js';
import { headFileNames, headFilePath, headFileTitles, parseHead } from '../../datasets/headFiles.js';
import { readDatasetFiles, type PackLayout } from '../../datasets/pack/datasetFiles.js';
import { userFault } from '../failures.js';

/**
 * Looks at what lies in a folder of data: lists, template and masks.
 *
 * @throws ConfigurationInvalid where this worker does not see the folder; DatasetUnusable, FormatError
 */
export async function proveFolder(directory: string, layout: PackLayout): Promise<void> {
  try {
    await access(directory, constants.R_OK | constants.X_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw userFault(
      'ConfigurationInvalid',
      `The data worker does not see the folder ${directory} (dataset.source.path): ${code ?? String(cause)}. Start a data ` +
        'worker on a machine that does, or correct the setting; then resume the run.',
    );
  }
  await readDatasetFiles(directory, layout);
}

/**
 * Looks at template and masks of data that are still to be fetched: they lie below the folder already, or a bundle brings
 * them.
 *
 * @throws DataUnusable, FormatError
 */
export async function proveHead(extracted: string, layout: PackLayout, bundles: readonly string[]): Promise<void> {
  const found: ({ readonly bytes: Buffer; readonly file: string } | null)[] = [];
  for (const which of headFileNames) {
    const reference = layout[which];
    const file = reference === null ? null : headFilePath(extracted, reference);
    const bytes = file === null ? null : await readFile(file).catch(() => null);
    found.push(file !== null && bytes !== null ? { bytes, file } : null);
    const isBrought = typeof reference === 'string' && bundles.some((bundle) => brings(bundle, reference));
    if (file === null || bytes !== null || isBrought) continue;
    throw userFault(
      'DataUnusable',
      `There is no ${file} on the data worker, ${headFileTitles[which]}, and no bundle that is to be fetched ` +
        `(${bundles.join(', ')}) brings it. Nothing was fetched. Put it there, or have it uploaded with the run: ` +
        `dataset.layout.${which}: {file: PATH}.`,
    );
  }
  const [template, masks] = found;
  if (template && masks) parseHead(template, masks);
}

/** Whether a path below the extracted data is in what a bundle becomes. */
function brings(bundle: string, path: string): boolean {
  const { archives, files } = findBundle(bundle);
  const wanted = normalize(path);
  return (
    files.some(({ target }) => normalize(target) === wanted) ||
    archives.some(({ target, content }) => wanted.startsWith(normalize(join(target, content)).replace(/\/?$/, sep)))
  );
}
