import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTar } from '../../../datasets/formats/archives/tar.js';
import { calibrationPath, framePath, imagePath } from '../../../datasets/layout.js';
import { sha256 } from '../../../datasets/cache/diskCache.js';
import type { DatasetIndex, FrameId, IndexedFrame, IndexedObject } from '../../../datasets/types.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/types.js';
import { goldenFolder, goldenFrames } from './goldenFolder.js';

/** Puts the golden case into a store by the layout of a packed data set (docs/architecture.md), by hand. */
export async function packGolden(store: ObjectStore, name: string): Promise<DatasetIndex> {
  const put = async (key: string, body: Buffer): Promise<IndexedObject> => {
    await store.put(`${keys.dataset(name)}/${key}`, body);
    return { key, size: body.length, sha256: sha256(body) };
  };
  const copy = async (key: string, path: string): Promise<IndexedObject> =>
    put(key, await readFile(join(goldenFolder, path)));
  const pack = async (id: FrameId): Promise<IndexedFrame> => {
    const { subject, sequence, frame } = id;
    const names = (await readdir(join(goldenFolder, 'calibrations', subject, sequence))).map((file) =>
      file.replace('.tka', ''),
    );
    const members = names.map(async (view) => {
      const bytes = await readFile(join(goldenFolder, 'images', imagePath(id, view)));
      return { name: `${sequence}.${frame}.${view}.png`, bytes };
    });
    const calibrations = names.map((view) => {
      const path = calibrationPath(subject, sequence, view);
      return copy(`calibrations/${path}`, `calibrations/${path}`);
    });
    return {
      id,
      images: await put(`images/${subject}/${sequence}/${frame}.tar`, writeTar(await Promise.all(members))),
      calibrations: await Promise.all(calibrations),
      scan: await copy(`scans/${framePath(id, 'npy')}`, `scans/${framePath(id, 'npy')}`),
      registration: await copy(`registrations/${framePath(id, 'ply')}`, `registrations/${framePath(id, 'ply')}`),
    };
  };
  const frames = await Promise.all(goldenFrames.map(pack));
  const index: DatasetIndex = {
    version: 1,
    name,
    storedResizeFactor: 4,
    imageExtension: 'png',
    vertexCount: 642,
    template: await copy('template.obj', 'template.obj'),
    vertexMasks: await copy('masks.npz', 'masks.npz'),
    splits: { train: frames, validation: frames, test: frames },
    unusable: [],
  };
  await store.put(keys.datasetIndex(name), Buffer.from(JSON.stringify(index)));
  return index;
}
