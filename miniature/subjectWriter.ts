import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../disk/makeFolder.js';
import { encodePng } from '../datasets/formats/images/image.js';
import { formatNpy } from '../datasets/formats/numpy/npy.js';
import { formatPly } from '../datasets/formats/meshes/ply.js';
import { cameraRig, storedCamera } from './scene/cameraRig.js';
import { calibrationPath, framePath, imagePath } from '../datasets/layout.js';
import { splitFolders } from './layout.js';
import type { PlannedSubject } from './plan.js';
import { renderView } from './appearance/renderer.js';
import { seatSubject, type Studio } from './subject.js';

/**
 * Writes all that FaMoS has of a subject: images, calibrations, scans (mm), registrations (m).
 *
 * @param directory the folder of the extracted data.
 * @param onFrame is called after every frame.
 */
export async function writeSubject(
  studio: Studio,
  plan: PlannedSubject,
  directory: string,
  onFrame: () => void,
): Promise<void> {
  const { settings, template } = studio;
  const subject = seatSubject(studio, plan.subject, plan.index);
  const folders = splitFolders[plan.split];
  for (const { sequence, index, kind, frames } of plan.sequences) {
    const views = cameraRig(settings, plan.index, index);
    for (const view of views) {
      const path = calibrationPath(plan.subject, sequence, view.name);
      await writeFileInFolder(join(directory, folders.calibrations, path), view.tka);
    }
    const cameras = views.map((view) => ({ ...view, camera: storedCamera(view, settings.storedResizeFactor) }));
    for (const { frame, time } of frames) {
      const id = { subject: plan.subject, sequence, frame };
      const head = subject.capture(index, kind, time);
      const writes: Promise<void>[] = [];
      try {
        // Encoding and writing run on other threads while the next view is rendered.
        for (const { name, kind: viewKind, camera } of cameras) {
          const image = renderView(camera, studio.fine, head.surface, subject.textures, {
            supersampling: settings.supersampling,
            grey: viewKind === 'stereo' && settings.stereoViews === 'grey',
          });
          const path = join(directory, folders.images, imagePath(id, name));
          writes.push(encodePng(image).then((bytes) => writeFileInFolder(path, bytes)));
        }
        const scan = subject.scan(head, index, frame);
        const points = formatNpy({ shape: [settings.scanPoints, 3], data: scan });
        writes.push(writeFileInFolder(join(directory, folders.scans, framePath(id, 'npy')), points));
        const registration = formatPly({ vertices: head.vertices.map((mm) => mm / 1000), faces: template.mesh.faces });
        writes.push(writeFileInFolder(join(directory, folders.registrations, framePath(id, 'ply')), registration));
        await Promise.all(writes);
      } finally {
        await Promise.allSettled(writes);
      }
      onFrame();
    }
  }
}

/** Writes a file, making its folder. */
export async function writeFileInFolder(path: string, content: string | Uint8Array): Promise<void> {
  await makeFolder(dirname(path));
  await writeFile(path, content);
}
