#!/usr/bin/env node
/**
 * Builds the images: `node infra/images/build.mjs [--cpu | --gpu] [--tag TAG] [TARGET…]`. NODE_IMAGE and RUNTIME_IMAGE name the
 * base images by digest; without them both are made here, from Debian's packages and a pinned wheel (`fromScratch.mjs`).
 * NODE_EXTRA_CA_CERTS is passed on to the build.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { SetupError } from '../setup/errors.mjs';
import { packageRoot } from '../setup/paths.mjs';
import { engine, runEngine } from './engine.mjs';
import { baseImages } from './fromScratch.mjs';

/** @typedef {'data' | 'gpu' | 'client'} Target */
/** @type {readonly Target[]} */
export const targets = ['data', 'gpu', 'client'];

/**
 * @param {object} options
 * @param {readonly Target[]} options.wanted
 * @param {'cpu' | 'gpu'} options.tensorflow of the target `gpu`; with `gpu` come some GB of CUDA
 * @param {string} options.tag
 * @param {(text: string) => void} options.say
 * @returns {Promise<Record<string, string>>} the images' names, by target
 */
export async function buildImages({ wanted, tensorflow, tag, say }) {
  const { NODE_IMAGE, RUNTIME_IMAGE, NODE_EXTRA_CA_CERTS } = process.env;
  if ((NODE_IMAGE === undefined) !== (RUNTIME_IMAGE === undefined)) {
    throw new SetupError('Of NODE_IMAGE and RUNTIME_IMAGE one is set.', 'Set both, or none.');
  }
  const base =
    NODE_IMAGE !== undefined && RUNTIME_IMAGE !== undefined
      ? { node: NODE_IMAGE, runtime: RUNTIME_IMAGE }
      : await baseImages(say);
  /** @type {Record<string, string>} */
  const images = {};
  for (const target of wanted) {
    const image = `tempeh-flow-${target}:${tag}`;
    say(`${target}, on ${base.runtime}`);
    const podman = [
      ...['--isolation=chroot', '--layers', '--pull=missing', '--format=docker'],
      ...['--ignorefile', path.join(packageRoot, 'infra', 'images', 'Dockerfile.dockerignore')],
    ];
    runEngine(
      [
        ...['build', '--file', path.join(packageRoot, 'infra', 'images', 'Dockerfile'), '--target', target],
        ...['--build-arg', `NODE_IMAGE=${base.node}`, '--build-arg', `RUNTIME_IMAGE=${base.runtime}`],
        ...['--build-arg', `TENSORFLOW=${tensorflow}`, '--tag', image],
        ...(engine.endsWith('podman') ? podman : []),
        ...(NODE_EXTRA_CA_CERTS ? ['--secret', `id=ca,src=${NODE_EXTRA_CA_CERTS}`] : []),
        packageRoot,
      ],
      { shown: true },
    );
    images[target] = image;
  }
  return images;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const words = process.argv.slice(2);
  const at = words.indexOf('--tag');
  const tag = at < 0 ? 'latest' : (words.splice(at, 2)[1] ?? 'latest');
  const named = targets.filter((target) => words.includes(target));
  try {
    await buildImages({
      wanted: named.length === 0 ? targets : named,
      tensorflow: words.includes('--cpu') ? 'cpu' : 'gpu',
      tag,
      say: (text) => console.log(`── ${text}`),
    });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    if (error.output) console.error(error.output);
    console.error(`${error.message}\n  ${error.mend}`);
    process.exitCode = 1;
  }
}
