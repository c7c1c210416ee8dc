/**
 * Measures the losses of a batch of the paper's size in this process (argument: a `LossesCase` as JSON), and prints
 * `LossesFigures` as one JSON line.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { loadConfiguration } from '../../configs/load.js';
import { counterRandom } from '../../geometry/random.js';
import { generateHeadTemplate } from '../../miniature/head/headTemplate.js';
import type * as losses from '../../training/losses/trainingLoss.js';
import { syntheticBatch } from '../syntheticBatch.js';
import { lossStates, type LossesCase, type LossesFigures, type LossState } from './figures.js';

const repeats = 25;
const vertices = 5023;
const samples = 2;

const { build, threads } = JSON.parse(process.argv[2] ?? '') as LossesCase;
const module = pathToFileURL(join(build, 'training', 'losses', 'trainingLoss.js')).href;
const { TrainingLoss } = (await import(module)) as typeof losses;
const stage = (await loadConfiguration('famos')).training['coarse-finetuning'];
const { mesh: template, regions } = generateHeadTemplate(vertices);
const { scanPoints } = stage;
const batch = syntheticBatch(template, { samples, views: 1, height: 8, width: 8, scanPoints });
const registrations = batch.vertices!;
const targets = { registrations, scanPoints: batch.scanPoints };
const loss = new TrainingLoss(template, regions, stage, threads);

function predictionOf(state: LossState): Float32Array {
  const { gaussian } = counterRandom(0, 'bench', state);
  // As far apart as a new coarse network's are in training.
  return registrations.map((value, i) => (state === 'trained' ? value + 0.5 * gaussian() : 0.7 * gaussian() - (i % 3)));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

async function measure(state: LossState): Promise<LossesFigures> {
  const prediction = predictionOf(state);
  const { terms, gradient } = loss.evaluate(prediction, targets);
  const sha256 = createHash('sha256').update(JSON.stringify(Object.entries(terms).sort()));
  sha256.update(new Uint8Array(gradient.buffer));
  // The first calls start threads, and compile.
  for (let i = 0; i < 5; i++) {
    loss.evaluate(prediction, targets);
    await sleep(50);
  }
  const walls: number[] = [];
  const processors: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const [begun, used] = [performance.now(), process.cpuUsage()];
    loss.evaluate(prediction, targets);
    walls.push(performance.now() - begun);
    const { user, system } = process.cpuUsage(used);
    processors.push((user + system) / 1000);
    await sleep(1);
  }
  return { state, wall: median(walls), processor: median(processors), sha256: sha256.digest('hex') };
}

const figures: LossesFigures[] = [];
for (const state of lossStates) figures.push(await measure(state));
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(0);
