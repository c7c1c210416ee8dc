import type { Mesh } from '../../geometry/mesh/mesh.js';
import { parsePly } from '../formats/meshes/ply.js';
import { readScan } from '../reader/readScan.js';
import type { EncodedFile } from '../reader/frameSource.js';
import { imageRangeFindings } from './imageRange.js';
import { registrationFindings } from './registrationFindings.js';
import { loneScanFindings, scanFindings } from './scanFindings.js';
import type { WorldFinding } from './types.js';

/** A frame's files, as they are stored. */
export interface FrameContent {
  readonly views: readonly (EncodedFile & { readonly name: string })[];
  readonly scan: EncodedFile | null;
  readonly registration: EncodedFile | null;
}

export interface WorldOptions {
  /** mm; null for data that are only predicted from. */
  readonly template: Mesh | null;
  /** Where heads are looked for, mm; null if that is not known. */
  readonly volume: { readonly centre: readonly [number, number, number]; readonly side: number } | null;
}

/**
 * Looks at a frame's units and worlds: its registration against the template, its scan against the registration, and the
 * range of its images.
 *
 * @throws FormatError of a file that cannot be read at all
 */
export async function frameFindings(frame: FrameContent, options: WorldOptions): Promise<WorldFinding[]> {
  const { views, scan, registration } = frame;
  const { template, volume } = options;
  const images = await Promise.all(views.map(({ bytes, file, name }) => imageRangeFindings(bytes, file, name)));
  const findings = images.flat();
  const mesh = registration && parsePly(registration.bytes, registration.file);
  const ofRegistration =
    mesh && template && mesh.vertices.length === template.vertices.length
      ? registrationFindings(mesh, registration.file, template)
      : [];
  findings.push(...ofRegistration);
  if (scan === null) return findings;
  const points = readScan(scan);
  // Compared with a registration that is wrong itself, a scan would look wrong.
  const isComparable =
    mesh !== null && template !== null && !ofRegistration.some(({ severity }) => severity === 'error');
  if (!isComparable) return [...findings, ...loneScanFindings(points, scan.file, volume)];
  const surface = { vertices: mesh.vertices.map((metres) => 1000 * metres), faces: template.faces };
  return [...findings, ...scanFindings(points, scan.file, surface)];
}
