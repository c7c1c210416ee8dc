import { posix } from 'node:path';

type Tree = Record<string, unknown>;

/** Published options that say where data lies, and which entries of a split they are. */
const ofSplits = {
  image_directory: 'images',
  calibration_directory: 'calibrations',
  scan_directory: 'scans',
  processed_directory: 'registrations',
} as const;

const ofHead = { template: 'template_fname', vertexMasks: 'vertex_mask_fname' } as const;

/**
 * Where the data lies, as settings below `dataset`. Published paths are relative to where its program runs; below
 * `./data` they are those of the published bundles, which our runs fetch. Elsewhere, the data are there already: the
 * folder that all paths have in common becomes the source, and there is no test set, of which a published configuration
 * knows nothing.
 *
 * Absolute and relative paths may stand side by side: relative ones are then seen from `workingDirectory`.
 *
 * @param paths by published option; those that a file leaves out stay as they are.
 * @returns settings by dotted path.
 */
export function datasetSettings(
  paths: ReadonlyMap<string, string>,
  workingDirectory: string = process.cwd(),
): Map<string, string | Tree | null> {
  const isMixed = new Set([...paths.values()].map((path) => posix.isAbsolute(path))).size > 1;
  const placed = (path: string): string => (isMixed ? posix.resolve(workingDirectory, path) : posix.normalize(path));
  const normal = new Map([...paths].map(([name, path]) => [name, placed(path).replace(/\/$/, '')]));
  const settings = new Map<string, string | Tree | null>();
  if (normal.size === 0) return settings;
  const values = [...normal.values()];
  const isBundled = values.every((path) => path.startsWith('data/'));
  const root = isBundled ? 'data' : commonFolder(values);
  const below = (option: string): string | undefined => {
    const path = normal.get(option);
    return path === undefined ? undefined : posix.relative(root, path);
  };
  const set = (setting: string, value: string | undefined): void => {
    if (value !== undefined) settings.set(`dataset.${setting}`, value);
  };
  if (!isBundled) settings.set('dataset.source', { kind: 'directory', path: root }).set('dataset.layout.test', null);
  for (const split of ['train', 'validation']) {
    set(`layout.${split}.list`, below(split === 'train' ? 'train_data_list_fname' : 'val_data_list_fname'));
    for (const [option, entry] of Object.entries(ofSplits)) set(`layout.${split}.${entry}`, below(option));
  }
  for (const [setting, option] of Object.entries(ofHead)) {
    const path = normal.get(option);
    // What bundles do not bring lies where the command is called, as the published program has it.
    if (path !== undefined) settings.set(`dataset.layout.${setting}`, isBundled ? { file: path } : below(option)!);
  }
  return settings;
}

/** The deepest folder that holds all of the paths. */
function commonFolder(paths: readonly string[]): string {
  const folders = paths.map((path) => posix.dirname(path).split('/'));
  const [first = []] = folders;
  const common = first.filter((_, depth) =>
    folders.every((folder) => first.slice(0, depth + 1).every((name, i) => folder[i] === name)),
  );
  return common.join('/') || (paths[0]?.startsWith('/') === true ? '/' : '.');
}
