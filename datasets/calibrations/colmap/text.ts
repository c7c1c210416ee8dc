import { FormatError, linesOf, quoted } from '../../formats/formatError.js';
import { colmapModel, type ColmapCamera } from './models.js';

/** An image of `images.txt` or `images.bin`. */
export interface ColmapImage {
  readonly name: string;
  readonly camera: number;
  /** w x y z: of the rotation from the world to the camera. */
  readonly quaternion: readonly number[];
  readonly translation: readonly number[];
}

/** Reads `cameras.txt`: a camera a line, `ID MODEL WIDTH HEIGHT PARAMETERS…`. @throws FormatError naming the line */
export function parseCamerasText(text: string, file: string): Map<number, ColmapCamera> {
  const cameras = new Map<number, ColmapCamera>();
  linesOf(text).forEach((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const where = `line ${i + 1}`;
    const [id, name = '', ...words] = line.trim().split(/\s+/);
    const model = colmapModel(name, file, where);
    const numbers = words.map(Number);
    if (numbers.length !== 2 + model.parameters || ![Number(id), ...numbers].every(Number.isFinite)) {
      const expected = `ID ${name} WIDTH HEIGHT and ${model.parameters} parameters`;
      throw new FormatError({ file, where, expected, found: quoted(line) });
    }
    const [width, height, ...parameters] = numbers as [number, number, ...number[]];
    cameras.set(Number(id), { model: name, imageSize: [width, height], parameters });
  });
  return cameras;
}

/**
 * Reads `images.txt`: of each image a line `ID QW QX QY QZ TX TY TZ CAMERA NAME`, and one of its features, which may be
 * empty and is not looked at.
 *
 * @throws FormatError naming the line
 */
export function parseImagesText(text: string, file: string): ColmapImage[] {
  const images: ColmapImage[] = [];
  const lines = linesOf(text);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.trim() === '' || line.startsWith('#')) continue;
    const found = /^\s*(\S+(?:\s+\S+){8})\s+(\S.*?)\s*$/.exec(line);
    const numbers = found ? found[1]!.split(/\s+/).map(Number) : [];
    if (!found || !numbers.every(Number.isFinite)) {
      const expected = 'IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME';
      throw new FormatError({ file, where: `line ${i + 1}`, expected, found: quoted(line) });
    }
    const name = found[2]!;
    images.push({ name, camera: numbers[8]!, quaternion: numbers.slice(1, 5), translation: numbers.slice(5, 8) });
    // Its features.
    i++;
  }
  return images;
}
