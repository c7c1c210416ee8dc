import { z } from 'zod';
import { keys } from '../../storage/keys.js';
import { parseStored, StoredObjectInvalid } from '../../storage/storedJson.js';
import { misplacedKeys } from './manifestKeys.js';
import { manifestSchema, type CheckpointStage, type Manifest } from './manifestSchema.js';

export function emptyManifest(run: string, stage: CheckpointStage): Manifest {
  return {
    version: 1,
    run,
    stage,
    revision: 0,
    lease: null,
    checkpoints: [],
    finished: {},
    quarantined: [],
    events: [],
  };
}

const todo =
  'Nothing was changed. Restore it from an earlier version of the object, if the bucket keeps them, or rebuild it: tempeh-flow repair';

/** What to do about a manifest that cannot be read. */
export const manifestTodo = (run: string): string => `${todo} ${run}`;

/**
 * Every key that the manifest names is one of its own run and stage.
 *
 * @throws StoredObjectInvalid naming the first field that is wrong.
 * @throws Error for a manifest of a newer version of this program.
 */
export function parseManifest(bytes: Uint8Array, run: string, stage: CheckpointStage): Manifest {
  const file = keys.manifest(run, stage);
  const form = { schema: manifestOf(run, stage), todo: manifestTodo(run) };
  try {
    return parseStored(bytes, file, form);
  } catch (cause) {
    const version = versionOf(bytes);
    if (!(cause instanceof StoredObjectInvalid) || version === null || version <= 1) throw cause;
    throw new Error(`${file} has version ${version}; this program reads version 1. Update the workers.`, { cause });
  }
}

function manifestOf(run: string, stage: CheckpointStage): z.ZodType<Manifest> {
  return manifestSchema.superRefine((manifest, context) => {
    for (const [field, found] of [
      ['run', manifest.run === run],
      ['stage', manifest.stage === stage],
    ] as const) {
      if (!found)
        context.addIssue({ code: 'custom', path: [field], message: `found that of another: ${manifest[field]}` });
    }
    for (const { path, found, expected } of misplacedKeys(manifest, run, stage)) {
      context.addIssue({ code: 'custom', path, message: `found ${found}, expected ${expected}` });
    }
    const { checkpoints } = manifest;
    const unordered = checkpoints.findIndex((checkpoint, i) => i > 0 && checkpoint.step <= checkpoints[i - 1]!.step);
    if (unordered > 0) {
      const message = `found ${checkpoints[unordered]!.step}, expected more than that of the one before`;
      context.addIssue({ code: 'custom', path: ['checkpoints', unordered, 'step'], message });
    }
  });
}

function versionOf(bytes: Uint8Array): number | null {
  try {
    return z.object({ version: z.int() }).parse(JSON.parse(new TextDecoder().decode(bytes))).version;
  } catch {
    return null;
  }
}

export function formatManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
}
