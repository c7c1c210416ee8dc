import { ContentDamaged, ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import type { ManifestCheckpoint } from '../manifest/manifestSchema.js';
import { partNames, sha256Of, type PartName } from './trainingState.js';

/** Thrown for a checkpoint whose parts are missing or are not what the manifest says. */
export class DamagedCheckpoint extends Error {
  override readonly name = 'DamagedCheckpoint';
  constructor(
    readonly checkpoint: { readonly step: number; readonly key: string },
    readonly reason: string,
  ) {
    super(`The checkpoint of step ${checkpoint.step} (${checkpoint.key}) is damaged: ${reason}`);
  }
}

/** A part as it was written, or an error. @throws DamagedCheckpoint */
export async function readPart(
  store: ObjectStore,
  checkpoint: ManifestCheckpoint,
  name: PartName,
): Promise<Uint8Array> {
  const expected = checkpoint.parts[name];
  if (!expected) throw new DamagedCheckpoint(checkpoint, `its manifest names no ${name}`);
  let body;
  try {
    ({ body } = await store.get(`${checkpoint.key}/${name}`));
  } catch (cause) {
    if (cause instanceof ObjectNotFound) throw new DamagedCheckpoint(checkpoint, `${name} is missing`);
    if (cause instanceof ContentDamaged) throw new DamagedCheckpoint(checkpoint, cause.message);
    throw cause;
  }
  if (body.length !== expected.size) {
    throw new DamagedCheckpoint(checkpoint, `${name} has ${body.length} bytes; ${expected.size} were written`);
  }
  const sha256 = sha256Of(body);
  if (sha256 !== expected.sha256) {
    throw new DamagedCheckpoint(checkpoint, `${name} has SHA-256 ${sha256}; ${expected.sha256} was written`);
  }
  return body;
}

/** The files of a checkpoint, each checked against its size and SHA-256. @throws DamagedCheckpoint */
export async function readParts(
  store: ObjectStore,
  checkpoint: ManifestCheckpoint,
): Promise<Record<PartName, Uint8Array>> {
  const bodies = await Promise.all(partNames.map((name) => readPart(store, checkpoint, name)));
  return Object.fromEntries(partNames.map((name, index) => [name, bodies[index]!])) as Record<PartName, Uint8Array>;
}
