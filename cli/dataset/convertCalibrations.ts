import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { loadConfiguration } from '../../configs/load.js';
import { convertCalibration, type ConvertedCalibration } from '../../datasets/calibrations/convertCalibration.js';
import { inWorld, type OpencvCamera } from '../../datasets/calibrations/opencvCamera.js';
import { parseCalibrations } from '../../datasets/calibrations/parseCalibrations.js';
import { parseDataList } from '../../datasets/formats/dataList.js';
import { cameraFromTka, parseTka } from '../../datasets/formats/tka.js';
import { rotationProblem } from '../../datasets/formats/rotationProblem.js';
import { rigFindings } from '../../datasets/inspect/rigFindings.js';
import { calibrationPath, isViewOfKind } from '../../datasets/layout.js';
import type { FrameId } from '../../datasets/types.js';
import { cameraCentre } from '../../geometry/camera.js';
import type { ConvertArguments } from '../commands/dataset.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { columns, styled } from '../terminal/terminal.js';
import { findingLines } from './findingLines.js';
import { volumeOf } from './openInspection.js';

/** Converts calibrations, writes them, and says what was lost and what the rig looks like. @returns the exit code. */
export async function convertCalibrations(options: ConvertArguments): Promise<number> {
  const { output, 'accept-residual': acceptResidual, json } = options;
  const configuration = await loadConfiguration(options.config, options.set);
  const notes: string[] = [];
  const cameras = await readCameras(options, (note) => notes.push(note));
  const axes = axesOf(options.axes);
  const origin = (options.origin ?? [0, 0, 0]) as [number, number, number];
  const converted = cameras.map((camera) => convertCalibration(inWorld(camera, origin, axes)));
  const beyond = converted.filter(({ residual }) => residual.max > acceptResidual);
  if (beyond.length > 0) throw new CommandError(refusal(beyond, acceptResidual));

  const sequences = options.list.length === 0 ? null : await sequencesOf(options.list);
  for (const { camera, tka } of converted) {
    const paths = sequences?.map((id) => calibrationPath(id.subject, id.sequence, camera.name)) ?? [
      `${camera.name}.tka`,
    ];
    for (const path of paths) {
      await mkdir(join(output, path, '..'), { recursive: true });
      await writeFile(join(output, path), tka);
    }
  }
  const rig = converted.map(({ camera, tka }) => cameraFromTka(parseTka(tka, camera.name), 1, camera.name));
  const findings = rigFindings(rig, volumeOf(configuration));
  const summary = converted.map(({ camera, residual, approximated }, i) => ({
    name: camera.name,
    imageSize: camera.imageSize,
    focal: camera.focal,
    distance: Math.hypot(...cameraCentre(rig[i]!)),
    residual,
    approximated,
  }));
  if (json) {
    process.stdout.write(`${JSON.stringify({ output, cameras: summary, findings, notes }, null, 2)}\n`);
  } else {
    const rows = summary.map(({ name, imageSize, focal, distance, residual, approximated }) => [
      name,
      imageSize.join('×'),
      focal.map((value) => value.toFixed(1)).join(' '),
      distance.toFixed(0),
      residual.max.toFixed(4),
      residual.rms.toFixed(4),
      approximated.join(' '),
    ]);
    const head = ['camera', 'image', 'focal px', 'distance mm', 'error max px', 'rms', 'approximated'];
    print(columns([head, ...rows], [3, 4, 5]));
    const where = sequences
      ? `${output}, for ${sequences.length} sequence${sequences.length === 1 ? '' : 's'}`
      : output;
    print(`\n${converted.length} calibrations in ${where}.`);
    for (const note of notes) print(`${styled('yellow', '!')} ${note}`);
    for (const line of findingLines([{ where: '', findings }])) print(line);
    const kind = configuration.viewKind;
    const used = converted.filter(({ camera }) => isViewOfKind(camera.name, kind)).length;
    if (used < converted.length) {
      print(
        `${styled('yellow', '!')} ${used} of ${converted.length} cameras are ${kind} views by their names (stereo: …_A, …_B; colour: …_C); ` +
          'the others are not used unless viewKind says so (--set viewKind=all).',
      );
    }
  }
  return findings.some(({ severity }) => severity === 'error') ? exitCodes.failed : exitCodes.ok;
}

/** A frame of each sequence that the lists name. */
async function sequencesOf(lists: readonly string[]): Promise<FrameId[]> {
  const sequences = new Map<string, FrameId>();
  for (const list of lists) {
    const text = await readFile(list, 'utf8').catch((cause: unknown) => {
      throw new CommandError(`${list} cannot be read.`, exitCodes.usage, { cause });
    });
    for (const id of parseDataList(text, list)) sequences.set(`${id.subject}/${id.sequence}`, id);
  }
  return [...sequences.values()];
}

async function readCameras(options: ConvertArguments, onNote: (note: string) => void): Promise<OpencvCamera[]> {
  const { units, extrinsics, undistorted, 'image-size': imageSize } = options;
  const size = imageSize === undefined ? undefined : sizeOf(imageSize);
  const cameras: { camera: OpencvCamera; file: string }[] = [];
  for (const file of options.files) {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new CommandError(`${file} cannot be read.`, exitCodes.usage, { cause });
    });
    const stem = basename(file, extname(file));
    const defaults = { units, extrinsics, imageSize: size, undistorted, ignored: options.ignore, onNote };
    cameras.push(...parseCalibrations(text, file, stem, defaults).map((camera) => ({ camera, file })));
  }
  const seen = new Map<string, string>();
  for (const { camera, file } of cameras) {
    const other = seen.get(camera.name);
    if (other !== undefined) {
      throw new CommandError(
        `Camera ${camera.name} is in ${other} and in ${file}: each needs a name of its own.`,
        exitCodes.usage,
      );
    }
    seen.set(camera.name, file);
  }
  return cameras.map(({ camera }) => camera);
}

function sizeOf(text: string): [number, number] {
  const found = /^(\d{1,5})x(\d{1,5})$/i.exec(text);
  if (found) return [Number(found[1]), Number(found[2])];
  throw new CommandError(`--image-size ${text}: expected WIDTHxHEIGHT in pixels, as 1600x1200.`, exitCodes.usage);
}

/** `x,-z,y`: rows of the rotation from the old world to the new. */
function axesOf(text: string): Float64Array {
  const rows = text.split(',').map((word) => {
    const found = /^([+-]?)([xyz])$/i.exec(word.trim());
    const sign = found?.[1] === '-' ? -1 : 1;
    return ['x', 'y', 'z'].map((axis) => (found?.[2]?.toLowerCase() === axis ? sign : 0));
  });
  const axes = Float64Array.from(rows.flat());
  const expected = 'x, y and z once each, with signs that keep the world right-handed, as x,-z,y';
  if (axes.length !== 9 || rotationProblem(axes) !== null) {
    throw new CommandError(`--axes ${text}: expected ${expected}.`, exitCodes.usage);
  }
  return axes;
}

function refusal(beyond: readonly ConvertedCalibration[], limit: number): string {
  const named = beyond.map(
    ({ camera, residual, approximated }) =>
      `  ${camera.name}: ${residual.max.toFixed(2)} px at most, ${residual.rms.toFixed(2)} px rms (${approximated.join(' ')})`,
  );
  return [
    `The lens model of the networks (radial, k1 and k2) does not come within ${limit} px of ${beyond.length} cameras:`,
    ...named,
    'Undistort the images (docs/own-data.md shows how) and convert with --undistorted, or accept it:',
    '--accept-residual PX (of the full resolution; the images are used at 1/4 and 1/8 of it).',
  ].join('\n');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
