import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDataList } from '../../datasets/formats/dataList.js';
import { FormatError } from '../../datasets/formats/formatError.js';
import { parsePly } from '../../datasets/formats/meshes/ply.js';
import { framePath } from '../../datasets/layout.js';
import { FrameUnreadable } from '../../datasets/reader/errors.js';
import { meshInMillimetres } from '../../datasets/reader/meshes.js';
import { readScan, scanExtensions } from '../../datasets/reader/readScan.js';
import type { FrameId } from '../../datasets/types.js';
import { readVertexRegions } from '../../datasets/vertexRegions.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import type { MeasuredSet } from './types.js';

export interface EvaluatedFolders {
  /** Folder by method: `S/Q/Q.N.ply`, metres. */
  readonly predictions: ReadonlyMap<string, string>;
  /** `S/Q/Q.N.npy` (points), `.ply` or `.obj` (a surface), mm. */
  readonly scans: string;
  /** Data list; null: all frames that the first folder has. */
  readonly list: string | null;
  /** `.npz` of vertex indices by region. */
  readonly masks: string | null;
  /** `S/Q/Q.N.ply`, metres. */
  readonly registrations: string | null;
}

/** Predictions and scans of folders in the published layout. @throws FormatError of list, masks or the first prediction */
export async function openFolders(folders: EvaluatedFolders): Promise<MeasuredSet> {
  const { predictions, scans, list, masks, registrations } = folders;
  const frames =
    list === null
      ? await framesBelow([...predictions.values()][0]!)
      : parseDataList(await readFile(list, 'utf8'), list);
  let vertexCount: number | null = null;
  const mesh = async (id: FrameId, folder: string, what: string): Promise<Mesh> => {
    const file = join(folder, framePath(id, 'ply'));
    const found = meshInMillimetres(parsePly(await needed(id, file, what), file));
    const count = found.vertices.length / 3;
    if (count !== (vertexCount ??= count)) {
      throw new FormatError({ file, expected: `${vertexCount} vertices, as the others have`, found: String(count) });
    }
    const bad = found.vertices.findIndex((coordinate) => !Number.isFinite(coordinate));
    if (bad >= 0) throw new FormatError({ file, expected: 'finite coordinates', found: `${found.vertices[bad]}` });
    return found;
  };
  const regions = masks === null ? null : readVertexRegions(await readFile(masks), masks, await countOf(frames, mesh));

  async function countOf(ids: readonly FrameId[], read: typeof mesh): Promise<number> {
    for (const id of ids) {
      const found = await read(id, [...predictions.values()][0]!, 'prediction').catch(() => null);
      if (found !== null) return found.vertices.length / 3;
    }
    // No prediction can be read: each will say why.
    return Infinity;
  }

  return {
    description: [...predictions.values()].join(', '),
    methods: [...predictions.keys()],
    frames,
    regions,
    async load(id) {
      try {
        const heads = new Map<string, Mesh>();
        for (const [method, folder] of predictions) heads.set(method, await mesh(id, folder, `${method} prediction`));
        if ([...heads.values()].some(({ faces }) => faces.length === 0)) {
          throw new FrameUnreadable(id, 'a prediction has no faces: there is no surface to measure to');
        }
        const registration = registrations === null ? null : await mesh(id, registrations, 'registration');
        return { id, heads, scanPoints: await scanOf(id, scans), registration: registration?.vertices ?? null };
      } catch (cause) {
        if (!(cause instanceof FormatError)) throw cause;
        throw new FrameUnreadable(id, cause.message, { cause });
      }
    },
  };
}

async function scanOf(id: FrameId, folder: string): Promise<Float32Array> {
  for (const extension of scanExtensions) {
    const file = join(folder, framePath(id, extension));
    const bytes = await readFile(file).catch(() => null);
    if (bytes === null) continue;
    const points = readScan({ bytes, file });
    const bad = points.findIndex((coordinate) => !Number.isFinite(coordinate));
    if (bad < 0) return points;
    throw new FormatError({ file, expected: 'finite coordinates', found: `${points[bad]}` });
  }
  const file = join(folder, framePath(id, 'npy'));
  throw new FrameUnreadable(id, `its scan is missing: ${file}, or the same as .ply or .obj`);
}

async function needed(id: FrameId, file: string, what: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw new FrameUnreadable(id, `its ${what} is missing: ${file}`, { cause });
  });
}

/** Frames that have a mesh below a folder, in the order of their names. */
async function framesBelow(folder: string): Promise<FrameId[]> {
  const files = await readdir(folder, { recursive: true });
  const frames: FrameId[] = [];
  for (const path of files.sort()) {
    const [subject, sequence, file, more] = path.split('/');
    if (subject === undefined || sequence === undefined || file === undefined || more !== undefined) continue;
    if (!file.startsWith(`${sequence}.`) || !file.endsWith('.ply')) continue;
    frames.push({ subject, sequence, frame: file.slice(sequence.length + 1, -'.ply'.length) });
  }
  return frames;
}
