import { FormatError } from './formats/formatError.js';
import { parseNpz } from './formats/npz.js';

/** The template's regions (spec section 4) under their names in the masks file. */
export const regionNames = [
  'face',
  'left_ear',
  'right_ear',
  'left_eyeball',
  'right_eyeball',
  'left_eye_region',
  'right_eye_region',
  'lips',
  'neck',
  'nostrils',
  'scalp',
  'boundary',
] as const;

export type RegionName = (typeof regionNames)[number];

/** Vertex indices by region. Regions overlap. */
export type VertexRegions = Readonly<Record<RegionName, ArrayLike<number>>>;

/**
 * Reads the masks file of a template: an `.npz` with an array of vertex indices a region.
 * @throws FormatError naming the region that is missing or leaves the template
 */
export function readVertexRegions(bytes: Uint8Array, file: string, vertexCount: number): VertexRegions {
  const arrays = parseNpz(bytes, file);
  const region = (name: RegionName): Uint32Array => {
    const array = arrays.get(name);
    if (!array) {
      const found = [...arrays.keys()].join(', ') || 'none';
      throw new FormatError({ file, expected: `an array ${name} of vertex indices`, found });
    }
    return Uint32Array.from(array.data as ArrayLike<number | bigint>, (value, i) => {
      const vertex = Number(value);
      if (Number.isInteger(vertex) && vertex >= 0 && vertex < vertexCount) return vertex;
      const expected = `a vertex below ${vertexCount}`;
      throw new FormatError({ file, where: `${name}, entry ${i}`, expected, found: String(value) });
    });
  };
  return Object.fromEntries(regionNames.map((name) => [name, region(name)])) as unknown as VertexRegions;
}
