import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolderSync } from '../../disk/makeFolder.js';
import { packageRoot } from '../../configs/packageRoot.js';

/** Where `npm start` and `tempeh-flow dev` keep everything of theirs: services, data, logs. */
export interface Workspace {
  readonly directory: string;
  readonly temporal: string;
  readonly objectStore: string;
  /** The miniature: what the local host serves. */
  readonly host: string;
  /** Working folders of the workers. */
  readonly dataWorker: string;
  readonly gpuWorker: string;
  readonly logs: string;
  /** Event files that were copied from the object store. */
  readonly events: string;
  readonly report: string;
  readonly lastRun: string;
  /** Addresses of the services that run now. */
  readonly services: string;
}

/** @param directory `.tempeh` in the package's folder by default. */
export function workspace(directory?: string): Workspace {
  const root = resolve(directory ?? (process.env['TEMPEH_DIRECTORY'] || join(packageRoot, '.tempeh')));
  return {
    directory: root,
    temporal: join(root, 'temporal'),
    objectStore: join(root, 's3'),
    host: join(root, 'host'),
    dataWorker: join(root, 'workers', 'data'),
    gpuWorker: join(root, 'workers', 'gpu'),
    logs: join(root, 'logs'),
    events: join(root, 'events'),
    report: join(root, 'report.html'),
    lastRun: join(root, 'last-run.json'),
    services: join(root, 'services.json'),
  };
}

/** Reads a JSON file; null where there is none or it was cut off. */
export function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return null;
  }
}

/** Writes a JSON file that is there whole or not at all. */
export function writeJson(file: string, value: unknown): void {
  makeFolderSync(join(file, '..'));
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(temporary, file);
}
