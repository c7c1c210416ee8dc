import { readFile } from 'node:fs/promises';
import { parseAlignment } from '../../datasets/calibrations/alignment.js';
import { readRig } from '../../datasets/calibrations/readCalibrations.js';
import { inWorld, type OpencvCamera } from '../../datasets/calibrations/opencvCamera.js';
import type { CalibrationDefaults } from '../../datasets/calibrations/options.js';
import { rotationProblem } from '../../datasets/formats/rotationProblem.js';
import type { ConvertArguments } from './arguments.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';

/** The cameras of all files that a command names, each name once, in the world that it asks for. @throws CommandError, FormatError */
export async function readCameras(options: ConvertArguments, onNote: (note: string) => void): Promise<OpencvCamera[]> {
  const { units, origin, axes } = await worldOf(options);
  const defaults = { ...defaultsOf(options, onNote), units };
  const cameras = await readRig(options.files, defaults).catch((cause: unknown) => {
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
    throw new CommandError(`A calibration cannot be read: ${cause.message}`, exitCodes.usage, { cause });
  });
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
  return cameras.map(({ camera }) => inWorld(camera, origin, axes));
}

function defaultsOf(options: ConvertArguments, onNote: (note: string) => void): CalibrationDefaults {
  const { extrinsics, undistorted, 'image-size': imageSize, 'camera-name': cameraName } = options;
  return {
    extrinsics,
    imageSize: imageSize === undefined ? undefined : sizeOf(imageSize),
    undistorted,
    ignored: options.ignore,
    cameraName: cameraName === undefined ? undefined : patternOf(cameraName),
    onNote,
  };
}

/** From the files' world to the data's: a unit, then the point that becomes the origin, then a rotation. */
interface World {
  readonly units: CalibrationDefaults['units'];
  /** mm. */
  readonly origin: readonly [number, number, number];
  readonly axes: Float64Array;
}

async function worldOf({ units, scale, origin = [0, 0, 0], axes, align }: ConvertArguments): Promise<World> {
  if (align !== undefined) {
    const text = await readFile(align, 'utf8').catch((cause: unknown) => {
      throw new CommandError(`--align ${align}: the file cannot be read.`, exitCodes.usage, { cause });
    });
    return parseAlignment(text, align);
  }
  if (scale !== undefined && !(scale > 0 && Number.isFinite(scale))) {
    throw new CommandError(`--scale ${scale}: expected a number above 0, mm a unit.`, exitCodes.usage);
  }
  return { units: scale ?? units, origin: origin as [number, number, number], axes: axesOf(axes) };
}

function patternOf(text: string): RegExp {
  try {
    const pattern = new RegExp(text);
    if (new RegExp(`${text}|`).exec('')!.length > 1) return pattern;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`--camera-name ${text}: ${reason}.`, exitCodes.usage);
  }
  throw new CommandError(
    `--camera-name ${text}: expected a pattern with a group, as '([^/]+)/[^/]*$' for the folder.`,
    exitCodes.usage,
  );
}

function sizeOf(text: string): [number, number] {
  const found = /^(\d{1,5})x(\d{1,5})$/i.exec(text);
  if (found) return [Number(found[1]), Number(found[2])];
  throw new CommandError(`--image-size ${text}: expected WIDTHxHEIGHT in pixels, as 1600x1200.`, exitCodes.usage);
}

/** `x,-z,y`: rows of the rotation from the old world to the new. @throws CommandError */
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
