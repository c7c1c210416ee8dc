import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cameraFromTka } from '../../datasets/formats/tka.js';
import { contactSheet, type SheetFrame } from '../../datasets/inspect/contactSheet.js';
import { rigFindings } from '../../datasets/inspect/rigFindings.js';
import { rigPicture } from '../../datasets/inspect/rigPicture.js';
import { sampleFrames } from '../../datasets/sampleFrames.js';
import type { InspectedFrame, Inspection } from '../../datasets/inspect/types.js';
import { frameName } from '../../datasets/layout.js';
import { decodeFrame } from '../../datasets/reader/decodeFrame.js';
import { FrameUnreadable } from '../../datasets/reader/errors.js';
import type { ShowArguments } from './arguments.js';
import { CommandError } from '../errors.js';
import { exitCodes } from '../exitCodes.js';
import { outputFolder } from '../outputs.js';
import { styled } from '../terminal/terminal.js';
import { findingLines } from './findingLines.js';
import { withInspection } from './openInspection.js';
import { print } from '../terminal/print.js';

/** Draws some frames and the rig of the first of them. @returns the exit code. */
export async function show(options: ShowArguments): Promise<number> {
  return withInspection(options, async (inspection, { volume, onProgress, signal }) => {
    const chosen = chooseFrames(inspection, options);
    await outputFolder('--output', options.output);
    const frames: SheetFrame[] = [];
    const unreadable: string[] = [];
    let cameras: ReturnType<typeof cameraFromTka>[] = [];
    for (const [i, { split, id }] of chosen.entries()) {
      signal?.throwIfAborted();
      onProgress?.({ what: 'reading frames', done: i, total: chosen.length });
      try {
        const encoded = await inspection.source.load(split, id);
        // Before the images are decoded: a rig can be drawn even if they are damaged.
        if (cameras.length === 0) {
          cameras = encoded.views.map(({ name, calibration }) => cameraFromTka(calibration, 1, name));
        }
        const vertexCount = inspection.source.template.vertices.length / 3;
        const sample = await decodeFrame(id, encoded, null, inspection.storedResizeFactor, vertexCount);
        frames.push({ split, sample });
      } catch (cause) {
        if (!(cause instanceof FrameUnreadable)) throw cause;
        unreadable.push(cause.message);
      }
    }
    for (const message of unreadable) print(`${styled('red', '✘')} ${message}`);
    if (frames.length > 0) {
      const sheet = await contactSheet(frames, { faces: inspection.source.template.faces });
      await write(join(options.output, 'contact-sheet.png'), sheet, `${frames.length} frames`);
    }
    if (cameras.length > 0) {
      const findings = rigFindings(cameras, volume);
      const scan = frames[0]?.sample.scanPoints ?? new Float32Array(0);
      const picture = await rigPicture(cameras, volume, findings, scan);
      const { subject, sequence } = chosen[0]!.id;
      await write(join(options.output, 'rig.png'), picture, `${cameras.length} cameras of ${subject}/${sequence}`);
      for (const line of findingLines([{ where: '', findings }])) print(line);
    }
    return unreadable.length === 0 && frames.length > 0 ? exitCodes.ok : exitCodes.failed;
  });
}

function chooseFrames({ frames }: Inspection, { frames: named, sample }: ShowArguments): InspectedFrame[] {
  if (named.length === 0) {
    if (frames.length === 0) throw new CommandError('There is no usable frame: `tempeh-flow dataset check` says why.');
    return sampleFrames(frames, Math.max(1, Math.floor(sample)));
  }
  return named.map((name) => {
    const found = frames.find(({ id }) => frameName(id) === name);
    if (found) return found;
    const like = frames.slice(0, 3).map(({ id }) => frameName(id));
    throw new CommandError(
      `--frames ${name}: there is no such usable frame; there are ${like.join(', ')} …`,
      exitCodes.usage,
    );
  });
}

async function write(file: string, bytes: Uint8Array, what: string): Promise<void> {
  await writeFile(file, bytes);
  print(`${file}: ${what}`);
}
