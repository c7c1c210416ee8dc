import { FormatError, quoted, withoutByteOrderMark } from '../formats/formatError.js';
import { isKalibr, readKalibr } from './formats/kalibr.js';
import { readMetashape } from './formats/metashape.js';
import { opencvStorage } from './formats/opencvStorage.js';
import type { OpencvCamera } from './opencvCamera.js';
import type { CalibrationDefaults } from './options.js';
import { longest, parseTree } from './fields/parseTree.js';
import { readRigFile } from './rigFile/readRigFile.js';
import { isTransformsJson, readTransformsJson } from './formats/transformsJson.js';
import { parseXml } from './fields/xml.js';

/**
 * Reads the cameras of a calibration file, whichever of these it is, by its content: OpenCV's storage (YAML, XML, JSON) and
 * plain YAML or JSON with such fields, CMU Panoptic's JSON, Kalibr's camera chain, Metashape's XML, `transforms.json`.
 *
 * @param stem the file's name without extension: the camera's, where the file holds one that has no name.
 * @throws FormatError naming the file, the camera and the field
 */
export function parseCalibrations(
  text: string,
  file: string,
  stem: string,
  defaults: CalibrationDefaults,
): OpencvCamera[] {
  if (text.length > longest) {
    throw new FormatError({ file, expected: `at most ${longest} characters`, found: `${text.length}` });
  }
  if (withoutByteOrderMark(text).trimStart().startsWith('<')) {
    const root = parseXml(withoutByteOrderMark(text).trimStart(), file);
    if (root.name === 'opencv_storage') return readRigFile(opencvStorage(root, file), file, stem, defaults);
    if (root.name === 'document') return readMetashape(root, file, defaults);
    const expected = "OpenCV's storage (opencv_storage) or Metashape's cameras (document)";
    throw new FormatError({ file, expected, found: quoted(root.name) });
  }
  const tree = parseTree(text, file);
  if (isTransformsJson(tree)) return readTransformsJson(tree, file, defaults);
  if (isKalibr(tree)) return readKalibr(tree, file, defaults);
  return readRigFile(tree, file, stem, defaults);
}
