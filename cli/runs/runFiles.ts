import { stat, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { ConfigurationError } from '../../configs/configurationError.js';
import { parseCheckpointName } from '../../configs/runNames.js';
import type { RunConfiguration } from '../../configs/schema/run.js';
import type { RunStep } from '../../configs/temporal.js';
import { formatObj } from '../../datasets/formats/meshes/obj.js';
import { headFileNames, headFileTitles, parseHead, type HeadFileName } from '../../datasets/headFiles.js';
import { readTemplate } from '../../datasets/reader/readTemplate.js';
import { findIndex } from '../../datasets/index/openIndex.js';
import { readManifest } from '../../checkpoints/manifest/readManifest.js';
import { keys } from '../../storage/keys.js';
import { openStore } from '../../storage/openStore.js';
import type { ObjectStore } from '../../storage/types.js';
import { checkNamedHash, imagenetTrunk, trunkOfFile, trunkOfRun } from '../../training/published/startingTrunk.js';
import { useLocalObjectStore } from '../connection.js';
import { CommandError } from '../errors.js';
import { print } from '../terminal/print.js';

/** What a run starts from, ready to be stored with it. */
export interface RunFile {
  /** Its key in a run's store, by the run's name. */
  readonly key: (run: string) => string;
  readonly bytes: Uint8Array;
  /** What it is and where it comes from, human-readable. */
  readonly title: string;
}

export interface RunFilesOptions {
  readonly what: RunStep | 'full-training';
  /** null: a new name will be made up. */
  readonly run: string | null;
  /** It goes on from another run's checkpoint, and so needs no trunk. */
  readonly isBranch: boolean;
  readonly onNote: (note: string) => void;
}

/**
 * The files of this machine that a run starts from (trunk, head template, vertex masks): found and looked at, before
 * anything else is asked for. Those that the run's store has already need not be here.
 *
 * @throws ConfigurationError saying of each that is missing how to get it; FormatError, PublishedCheckpointMismatch
 */
export async function findRunFiles(configuration: RunConfiguration, options: RunFilesOptions): Promise<RunFile[]> {
  const { what, isBranch } = options;
  const needsTrunk = (what === 'full-training' || what === 'coarse-pretraining') && !isBranch;
  const needsHead = what === 'full-training' || what === 'dataset';
  const found = await Promise.allSettled([
    needsTrunk ? findTrunk(configuration, options) : [],
    needsHead ? findHead(configuration, options) : [],
  ]);
  const failures = found.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
  // What is missing is reported at once.
  const missing = failures.flatMap((failure) => (failure instanceof ConfigurationError ? failure.problems : []));
  if (missing.length > 0) throw new ConfigurationError(missing);
  if (failures.length > 0) throw failures[0];
  return found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
}

/**
 * Puts them into the run's store: workers find all that the run starts from before they fetch anything.
 *
 * @throws CommandError where the run has trained with others.
 */
export async function storeRunFiles(
  files: readonly RunFile[],
  run: string,
  { storage }: RunConfiguration,
): Promise<void> {
  if (files.length === 0) return;
  useLocalObjectStore();
  const store = openStore(storage);
  for (const { key, bytes, title } of files) {
    const there = await store.head(key(run));
    const isOther = there !== null && !Buffer.from(bytes).equals((await store.get(key(run))).body);
    if (isOther && (await hasTrained(store, run))) {
      const todo = 'Go on with those (tempeh-flow resume), or give this run another name (--run)';
      throw new CommandError(`${key(run)}: ${run} has trained with another file than this one (${title}). ${todo}.`);
    }
    await store.put(key(run), bytes);
    print(`  ${title}: ${key(run)} in ${store.description}`);
  }
}

async function hasTrained(store: ObjectStore, run: string): Promise<boolean> {
  const manifests = await Promise.all(
    (['coarse', 'refinement'] as const).map((stage) => readManifest(store, run, stage)),
  );
  return manifests.some((manifest) => manifest !== null && manifest.checkpoints.length > 0);
}

async function findTrunk(configuration: RunConfiguration, { run, onNote }: RunFilesOptions): Promise<RunFile[]> {
  const { trunk } = configuration.model.coarse;
  if (trunk.kind === 'random') return [];
  const given = trunk.kind === 'imagenet' ? trunk.file : trunk.from;
  const file = await firstThere(trunk.kind === 'imagenet' ? trunkPlaces(given) : [resolve(given)]);
  if (file !== null) {
    if (trunk.kind === 'imagenet') {
      const unchecked = await checkNamedHash(file);
      if (unchecked !== null) onNote(unchecked);
    }
    return [{ key: keys.trunk, bytes: await trunkOfFile(file, configuration), title: `trunk, of ${file}` }];
  }
  const named = trunk.kind === 'checkpoint' ? parseCheckpointName(given) : null;
  const stage = named?.stage ?? 'coarse';
  if (named !== null && (stage === 'coarse' || stage === 'refinement')) {
    useLocalObjectStore();
    const bytes = await trunkOfRun(openStore(configuration.storage), { ...named, stage }, configuration);
    return [{ key: keys.trunk, bytes, title: `trunk, of ${given}` }];
  }
  const isThere = async (store: ObjectStore): Promise<boolean> =>
    run !== null &&
    ((await store.head(keys.trunk(run))) !== null ||
      ((await readManifest(store, run, 'coarse'))?.checkpoints.length ?? 0) > 0);
  if (await inStore(configuration, isThere)) return [];
  throw new ConfigurationError([
    {
      where: 'model.coarse.trunk',
      setting: trunk.kind === 'imagenet' ? 'file' : 'from',
      found: given,
      expected:
        trunk.kind === 'imagenet'
          ? howToGetTrunk(given)
          : 'there is no such file here; expected a published checkpoint (.pth), or RUN/STAGE[@STEP]',
    },
  ]);
}

/** A bare name is looked for where torch.hub keeps what it has fetched, too. */
function trunkPlaces(given: string): string[] {
  if (given !== basename(given)) return [resolve(given)];
  const home = torchHome();
  return [resolve(given), ...(home === null ? [] : [join(home, 'hub', 'checkpoints', given)])];
}

/** null for a user that has no folder: HOME is not set, and the system does not know who it is. */
function torchHome(): string | null {
  const { TORCH_HOME: torch, XDG_CACHE_HOME: cache } = process.env;
  if (torch !== undefined) return torch;
  try {
    return join(cache ?? join(homedir(), '.cache'), 'torch');
  } catch {
    return null;
  }
}

function howToGetTrunk(given: string): string {
  return (
    `there is no such file here (looked for: ${trunkPlaces(given).join(', ')}). The feature net starts from torchvision’s ` +
    `ResNet-34 (${imagenetTrunk.name}, SHA-256 ${imagenetTrunk.sha256}, 87 MB). With torchvision installed, ` +
    `python3 -c "import torchvision; torchvision.models.resnet34(weights='IMAGENET1K_V1')" fetches it to where it is ` +
    'looked for; or name another place: --set model.coarse.trunk.file=PATH. Without it: --set model.coarse.trunk.kind=random'
  );
}

async function findHead(configuration: RunConfiguration, { run }: RunFilesOptions): Promise<RunFile[]> {
  const { layout, name } = configuration.dataset;
  const wanted = headFileNames.flatMap((which) => {
    const reference = layout[which];
    return typeof reference === 'object' && 'file' in reference ? [{ which, file: reference.file }] : [];
  });
  if (wanted.length === 0) return [];
  const places = await Promise.all(
    wanted.map(async ({ which, file }) => ({ which, file, path: await firstThere(headPlaces(file, configuration)) })),
  );
  const missing = places.filter(({ path }) => path === null);
  const isThere = async (store: ObjectStore): Promise<boolean> => {
    if ((await findIndex(store, name)) !== null) return true;
    if (run === null) return false;
    const heads = await Promise.all(missing.map(({ which }) => store.head(keys.headFile(run, which))));
    return heads.every((head) => head !== null);
  };
  if (missing.length > 0) {
    if (await inStore(configuration, isThere)) return [];
    throw new ConfigurationError(
      missing.map(({ which, file }) => ({
        where: `dataset.layout.${which}`,
        setting: 'file',
        found: file,
        expected:
          `there is no such file here (looked for: ${headPlaces(file, configuration).join(', ')}) for ` +
          `${headFileTitles[which]}. It is uploaded with the run; that of the published data comes with the published code. ` +
          'Put it there, or ' +
          `name it: --set 'dataset.layout.${which}={file: PATH}' (where the data worker has it below its data folder: ` +
          `--set dataset.layout.${which}=PATH)`,
      })),
    );
  }
  const found = await Promise.all(
    places.map(async ({ which, path }) => ({ which, path: path!, bytes: await headBytes(which, path!) })),
  );
  const bytesOf = (which: HeadFileName) => found.find((file) => file.which === which);
  const [template, masks] = [bytesOf('template'), bytesOf('vertexMasks')];
  if (template && masks) parseHead({ ...template, file: template.path }, { ...masks, file: masks.path });
  return found.map(({ which, path, bytes }) => ({
    key: (of) => keys.headFile(of, which),
    bytes,
    title: `${which === 'template' ? 'head template' : 'vertex masks'}, of ${path}`,
  }));
}

/** Relative paths are seen from here, and from a data folder that the configuration names. */
function headPlaces(file: string, { dataset: { source } }: RunConfiguration): string[] {
  const here = resolve(file);
  if (source.kind !== 'directory') return [here];
  return [...new Set([here, resolve(source.path, file), resolve(dirname(resolve(source.path)), file)])];
}

/** A template of another form becomes an OBJ, which workers read. */
async function headBytes(which: HeadFileName, path: string): Promise<Uint8Array> {
  if (which === 'vertexMasks' || extname(path).toLowerCase() === '.obj') return readFile(path);
  const { vertices, faces } = await readTemplate(path);
  return Buffer.from(formatObj({ vertices: vertices.map((value) => value / 1000), faces }));
}

async function firstThere(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) if ((await stat(path).catch(() => null))?.isFile()) return path;
  return null;
}

/** Whether the store has it already; false where that cannot be asked from here. */
async function inStore(
  { storage }: RunConfiguration,
  isThere: (store: ObjectStore) => Promise<boolean>,
): Promise<boolean> {
  useLocalObjectStore();
  const late = new Promise<boolean>((settle) => setTimeout(settle, patience, false).unref());
  return Promise.race([isThere(openStore(storage)).catch(() => false), late]);
}

/** Milliseconds. */
const patience = 5000;
