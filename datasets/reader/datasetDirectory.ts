import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetConfiguration } from '../../configs/schema/dataset.js';
import { isJunk } from '../discover/junk.js';
import { parseDataList } from '../formats/dataList.js';
import { FormatError } from '../formats/formatError.js';
import { parseTka } from '../formats/tka.js';
import type { EncodedView } from '../images/decodeView.js';
import { headFilePath, parseHead } from '../headFiles.js';
import { calibrationPath, framePath, imagePath } from '../layout.js';
import type { ViewKind } from '../../configs/schema/viewKind.js';
import { splitNames, type FrameId, type Split } from '../types.js';
import { isChosen, type ViewChoice } from '../views.js';
import { FrameUnreadable } from './errors.js';
import type { EncodedFile, FrameSource } from './frameSource.js';
import { scanExtensions } from './readScan.js';

/** Frames of a folder in FaMoS layout, as it lies there. */
export async function openDirectorySource(
  directory: string,
  configuration: Pick<DatasetConfiguration, 'layout' | 'imageExtension'>,
  choice: ViewKind | ViewChoice,
): Promise<FrameSource> {
  const chosen: ViewChoice = typeof choice === 'string' ? { viewKind: choice } : choice;
  const { layout, imageExtension } = configuration;
  const lists = {} as Record<Split, readonly FrameId[]>;
  for (const split of splitNames) {
    const there = layout[split];
    const path = there && join(directory, there.list);
    lists[split] = path === null ? [] : parseDataList(await readFile(path, 'utf8'), path);
  }
  const [templateFile, masksFile] = [layout.template, layout.vertexMasks].map((reference) =>
    headFilePath(directory, reference),
  ) as [string, string];
  const { mesh: template, regions } = parseHead(
    { bytes: await readFile(templateFile), file: templateFile },
    { bytes: await readFile(masksFile), file: masksFile },
  );

  const views = async (split: Split, id: FrameId): Promise<EncodedView[]> => {
    const { images, calibrations } = layout[split]!;
    const folder = join(directory, calibrations, id.subject, id.sequence);
    const names = (await readdir(folder))
      .filter((name) => name.endsWith('.tka') && !isJunk(name))
      .map((name) => name.slice(0, -'.tka'.length))
      .filter((name) => isChosen(name, chosen))
      .sort();
    const read = names.map(async (name) => {
      const file = join(directory, images, imagePath(id, name, imageExtension));
      const bytes = await readOptional(file);
      if (!bytes) return null;
      const tka = join(directory, calibrations, calibrationPath(id.subject, id.sequence, name));
      return { name, bytes, file, calibration: parseTka(await readFile(tka, 'utf8'), tka) };
    });
    return (await Promise.all(read)).filter((view) => view !== null);
  };
  const optional = async (folder: string | null, path: string): Promise<EncodedFile | null> => {
    if (folder === null) return null;
    const file = join(directory, folder, path);
    const bytes = await readOptional(file);
    return bytes && { bytes, file };
  };

  return {
    description: directory,
    count: (split) => lists[split].length,
    range: async (split, from, to) => lists[split].slice(from, to),
    template,
    regions,
    async load(split, id) {
      const { scans, registrations } = layout[split]!;
      try {
        const [encoded, scan, registration] = await Promise.all([
          views(split, id),
          firstOf(scanExtensions.map((extension) => () => optional(scans, framePath(id, extension)))),
          optional(registrations, framePath(id, 'ply')),
        ]);
        return { views: encoded, scan, registration };
      } catch (cause) {
        if (cause instanceof FormatError || isMissing(cause)) {
          throw new FrameUnreadable(id, cause instanceof Error ? cause.message : String(cause), { cause });
        }
        throw cause;
      }
    },
    bytesRead: () => 0,
  };
}

async function firstOf<T>(readers: readonly (() => Promise<T | null>)[]): Promise<T | null> {
  for (const read of readers) {
    const found = await read();
    if (found !== null) return found;
  }
  return null;
}

async function readOptional(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
