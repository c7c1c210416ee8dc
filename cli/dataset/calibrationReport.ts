import type { ViewKind } from '../../configs/schema/viewKind.js';
import type { ConvertedCalibration } from '../../datasets/calibrations/convertCalibration.js';
import type { RigFinding } from '../../datasets/inspect/types.js';
import { isViewOfKind } from '../../datasets/layout.js';
import { cameraCentre, type Camera } from '../../geometry/cameras/camera.js';
import { columns, styled } from '../terminal/terminal.js';
import { findingLines } from './findingLines.js';

/** px; a smaller residual has no place. */
const visible = 0.005;

/** What a conversion made. */
export interface Conversion {
  readonly converted: readonly ConvertedCalibration[];
  /** As the reader will have them. */
  readonly rig: readonly Camera[];
  readonly output: string;
  /** How many they were written for; null: no list was named. */
  readonly sequences: number | null;
  readonly notes: readonly string[];
  readonly findings: readonly RigFinding[];
}

/** A table of cameras with what was lost, what the rig looks like, and what the user should know. */
export function reportOf(conversion: Conversion, kind: ViewKind): string {
  const { converted, rig, output, sequences, notes, findings } = conversion;
  const rows = converted.map(({ camera, residual, approximated }, i) => [
    camera.name,
    camera.imageSize.join('×'),
    camera.focal.map((value) => value.toFixed(1)).join(' '),
    Math.hypot(...cameraCentre(rig[i]!)).toFixed(0),
    residual.max.toFixed(4),
    residual.rms.toFixed(4),
    residual.max < visible ? '' : residual.at.map((value) => value.toFixed(0)).join(', '),
    approximated.join(' '),
  ]);
  const head = ['camera', 'image', 'focal px', 'distance mm', 'error max px', 'rms', 'at px', 'approximated'];
  const lines = [columns([head, ...rows], [3, 4, 5]), ...gridLines(converted)];
  const where = sequences === null ? output : `${output}, for ${sequences} sequence${sequences === 1 ? '' : 's'}`;
  lines.push(`\n${converted.length} calibrations in ${where}.`);
  for (const note of notes) lines.push(`${styled('yellow', '!')} ${note}`);
  lines.push(...findingLines([{ where: '', findings }]));
  const used = converted.filter(({ camera }) => isViewOfKind(camera.name, kind)).length;
  if (used < converted.length) {
    lines.push(
      `${styled('yellow', '!')} ${used} of ${converted.length} cameras are ${kind} views by their names (stereo: …_A, …_B; colour: …_C); ` +
        'the others are not used unless viewKind says so (--set viewKind=all).',
    );
  }
  return lines.join('\n');
}

/** The residual over the image, from corner to corner, of the camera that has the largest. */
function gridLines(converted: readonly ConvertedCalibration[]): string[] {
  const [worst] = [...converted].sort((a, b) => b.residual.max - a.residual.max);
  if (!worst || worst.residual.max < visible) return [];
  const rows = worst.residual.grid.map((row) => row.map((value) => value.toFixed(2)));
  const title = `\nError over the image of ${worst.camera.name}, from its upper left to its lower right corner, px:`;
  return [
    title,
    columns(
      rows,
      rows[0]!.map((_, i) => i),
    ),
  ];
}

/** Why cameras were not written. */
export function refusal(beyond: readonly ConvertedCalibration[], limit: number): string {
  const named = beyond.map(
    ({ camera, residual, approximated }) =>
      `  ${camera.name}: ${residual.max.toFixed(2)} px at most, ${residual.rms.toFixed(2)} px rms (${approximated.join(' ')})`,
  );
  return [
    `The lens model of the networks (radial, k1 and k2) does not come within ${limit} px of ${beyond.length} cameras:`,
    ...named,
    ...gridLines(beyond),
    'Undistort the images (docs/own-data.md shows how) and convert with --undistorted, or accept it:',
    '--accept-residual PX (of the full resolution; the images are used at 1/4 and 1/8 of it).',
  ].join('\n');
}
