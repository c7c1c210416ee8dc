import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openShard, planShards } from '../../activities/predictions/predictionShards.js';
import { secondsBetweenSignals } from '../../activities/runs/stageSignals.js';
import { summariseDataset } from '../../activities/datasetSummary.js';
import { findIndex } from '../../datasets/index/openIndex.js';
import { partKey, writePart } from '../../datasets/index/sequencePart.js';
import type { IndexedSequence } from '../../datasets/index/indexFile.js';
import { sha256 } from '../../datasets/cache/diskCache.js';
import type { IndexedFrame, IndexedObject } from '../../datasets/types.js';
import type { ObjectStore } from '../../storage/types.js';
import { manifestWith } from '../checkpoints/checkpointFixtures.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { emptyStore, putJson } from './support/store.js';

const framesPerSequence = 250;
const object = (key: string): IndexedObject => ({ key, size: 1e6, sha256: 'a'.repeat(64) });

function partOf(sequence: string): Buffer {
  const calibrations = Array.from({ length: 24 }, (_, i) => object(`calibrations/s/${sequence}/${10 + i}_A.tka`));
  const frames = Array.from({ length: framesPerSequence }, (_, i): IndexedFrame => {
    const frame = String(i).padStart(6, '0');
    const id = { subject: 's', sequence, frame };
    const name = `s/${sequence}/${frame}`;
    return {
      id,
      images: object(`images/${name}.tar`),
      calibrations,
      scan: object(`scans/${name}.npy`),
      registration: null,
    };
  });
  return writePart('f', { frames, unusable: [], incomplete: [] });
}

/** An index of so many training frames; the parts of the first and last sequences are there. */
async function storeOf(frames: number): Promise<{ store: ObjectStore; gets: string[] }> {
  const store = emptyStore();
  const count = Math.ceil(frames / framesPerSequence);
  const sequences: IndexedSequence[] = [];
  for (let i = 0; i < count; i++) {
    const sequence = `q${String(i).padStart(6, '0')}`;
    const key = partKey('train', 's', sequence);
    const isThere = i < 2 || i >= count - 2;
    const body = isThere ? partOf(sequence) : null;
    if (body !== null) await store.put(`datasets/heads/${key}`, body);
    const part = { key, size: body?.length ?? 1e5, sha256: body === null ? 'b'.repeat(64) : sha256(body) };
    sequences.push({ subject: 's', sequence, frames: framesPerSequence, part });
  }
  const none = { frames: 0, registered: 0, sequences: [], order: null };
  await putJson(store, 'datasets/heads/dataset.json', {
    ...{ version: 3, name: 'heads', storedResizeFactor: 4, imageExtension: 'png', vertexCount: 5023 },
    ...{ template: object('template.obj'), vertexMasks: object('vertex_masks.npz') },
    ...{ unusable: 0, incomplete: 0, bytes: frames * 2e6, cameras: ['10_A'] },
    splits: { train: { ...none, frames: count * framesPerSequence, sequences }, validation: none, test: none },
  });
  const finished = { 'coarse-finetuning': { step: 10, modelSha256: 'a'.repeat(64) } };
  await putJson(
    store,
    'runs/r/coarse/manifest.json',
    manifestWith('r', 'coarse', { checkpoints: [[10, 'coarse-finetuning']], finished }),
  );
  const gets: string[] = [];
  const get: ObjectStore['get'] = (key, options) => {
    gets.push(key);
    return store.get(key, options);
  };
  return { store: { ...store, get }, gets };
}

/** npm test -- planningScale prints the table of docs/performance.md. */
for (const frames of [245_000, 5_000_000]) {
  test(`${frames.toLocaleString('en')} frames are planned in seconds, from the manifest alone`, async (context) => {
    const { store, gets } = await storeOf(frames);
    const configuration = testConfiguration();
    const before = process.memoryUsage().rss;
    const startedAt = performance.now();
    assert.equal(summariseDataset((await findIndex(store, 'heads'))!).frames.train, frames);
    const plan = await planShards(store, 'r', configuration, 'refinement-input');
    const seconds = (performance.now() - startedAt) / 1000;
    const megabytes = (process.memoryUsage().rss - before) / 2 ** 20;
    assert.equal(plan.frames, frames);
    assert.ok(
      gets.every((key) => !key.includes('/parts/')),
      'planning reads no part',
    );
    gets.length = 0;
    const last = plan.shards.at(-1)!;
    const shardStartedAt = performance.now();
    const opened = await openShard(store, 'r', configuration, last);
    const shardSeconds = (performance.now() - shardStartedAt) / 1000;
    assert.equal(opened.frames.length, last.to - last.from);
    assert.equal(gets.filter((key) => key.includes('/parts/')).length, 2, 'a shard reads the parts of its frames');
    const payload = JSON.stringify(plan).length;
    const cells = [`${plan.shards.length} shards`, `${seconds.toFixed(1)} s`, `${megabytes.toFixed(0)} MB`];
    context.diagnostic(
      `${frames} frames: ${cells.join(', ')}; plan ${(payload / 1000).toFixed(0)} kB; a shard opened in ${shardSeconds.toFixed(2)} s`,
    );
    assert.ok(seconds < 60 && megabytes < 500, cells.join(', '));
    assert.ok(payload < 1.5e6, 'Temporal takes payloads of 2 MB');
  });
}

test('however long a stage takes, and however often it is pre-empted, its signals fit into a history', () => {
  const perSignal = 12;
  const year = 365 * 24 * 3600;
  for (const [years, hoursOfAttempt] of [
    [10, Infinity],
    [1, 1],
  ] as const) {
    let signals = 0;
    for (let age = 0; age < years * year;) {
      const end = Math.min(years * year, age + hoursOfAttempt * 3600);
      // An attempt's first word and first checkpoint, while the stage is young.
      const isYoung = secondsBetweenSignals(age) < 1800;
      if (isYoung) signals += 2;
      for (let told = age; ;) {
        told += secondsBetweenSignals(told);
        if (told >= end) break;
        signals++;
      }
      age = end;
    }
    assert.ok(signals * perSignal < 50_000, `${signals} signals in ${years} years`);
  }
});
