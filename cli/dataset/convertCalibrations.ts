import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../disk/makeFolder.js';
import { loadConfiguration } from '../../configs/load.js';
import { convertCalibration } from '../../datasets/calibrations/convertCalibration.js';
import { parseDataList } from '../../datasets/formats/dataList.js';
import { cameraFromTka, parseTka } from '../../datasets/formats/tka.js';
import { rigFindings } from '../../datasets/inspect/rigFindings.js';
import { calibrationPath } from '../../datasets/layout.js';
import type { FrameId } from '../../datasets/types.js';
import { cameraCentre } from '../../geometry/cameras/camera.js';
import type { ConvertArguments } from './arguments.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { readCameras } from './calibrationOptions.js';
import { refusal, reportOf } from './calibrationReport.js';
import { volumeOf } from './openInspection.js';
import { print, printJson } from '../terminal/print.js';

/** Converts calibrations, writes them, and says what was lost and what the rig looks like. @returns the exit code. */
export async function convertCalibrations(options: ConvertArguments): Promise<number> {
  const { output, 'accept-residual': acceptResidual, json } = options;
  const configuration = await loadConfiguration(options.config, options.set);
  const notes: string[] = [];
  const cameras = await readCameras(options, (note) => notes.push(note));
  const converted = cameras.map(convertCalibration);
  const beyond = converted.filter(({ residual }) => residual.max > acceptResidual);
  if (beyond.length > 0) throw new CommandError(refusal(beyond, acceptResidual));

  const sequences = options.list.length === 0 ? null : await sequencesOf(options.list);
  for (const { camera, tka } of converted) {
    const paths = sequences?.map((id) => calibrationPath(id.subject, id.sequence, camera.name)) ?? [
      `${camera.name}.tka`,
    ];
    for (const path of paths) {
      await makeFolder(join(output, path, '..'));
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
    printJson({ output, cameras: summary, findings, notes });
  } else {
    print(
      reportOf(
        { converted, rig, output, sequences: sequences?.length ?? null, notes, findings },
        configuration.viewKind,
      ),
    );
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
