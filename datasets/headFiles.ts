import { join, resolve } from 'node:path';
import type { HeadFile } from '../configs/schema/dataset.js';
import type { Mesh } from '../geometry/mesh/mesh.js';
import { FormatError } from './formats/formatError.js';
import { parseObj } from './formats/meshes/obj.js';
import { textOf } from './formats/text.js';
import { meshInMillimetres } from './reader/meshes.js';
import { readVertexRegions, type VertexRegions } from './vertexRegions.js';

/** The two files that all frames share, by the names of their settings below `dataset.layout`. */
export const headFileNames = ['template', 'vertexMasks'] as const;
/** One of the files that describe the head. */
export type HeadFileName = (typeof headFileNames)[number];

/** What they are, human-readable. */
export const headFileTitles: Readonly<Record<HeadFileName, string>> = {
  template: 'the head template (dataset.layout.template)',
  vertexMasks: 'the vertex masks (dataset.layout.vertexMasks)',
};

/**
 * Where a file of the head lies on this disk.
 *
 * @param directory of the data, which paths are below.
 * @throws FormatError for an object of a store, which has no path.
 */
export function headFilePath(directory: string, reference: HeadFile): string {
  if (typeof reference === 'string') return join(directory, reference);
  if ('file' in reference) return resolve(reference.file);
  throw new FormatError({
    file: directory,
    expected: 'a file of the head on this disk',
    found: `the object ${reference.object}`,
  });
}

/** What a setting names, human-readable. */
export function headFileLabel(reference: HeadFile): string {
  if (typeof reference === 'string') return reference;
  return 'file' in reference ? reference.file : reference.object;
}

/**
 * Template and vertex masks, each checked, and compared with the other.
 *
 * @returns the template's mesh, mm.
 * @throws FormatError
 */
export function parseHead(
  template: { readonly bytes: Uint8Array; readonly file: string },
  masks: { readonly bytes: Uint8Array; readonly file: string },
): { readonly mesh: Mesh; readonly regions: VertexRegions } {
  const mesh = meshInMillimetres(parseObj(textOf(template.bytes, template.file), template.file));
  return { mesh, regions: readVertexRegions(masks.bytes, masks.file, mesh.vertices.length / 3) };
}
