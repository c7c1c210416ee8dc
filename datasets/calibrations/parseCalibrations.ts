import { FormatError, quoted, withoutByteOrderMark } from '../formats/formatError.js';
import { isKalibr, readKalibr } from './formats/kalibr.js';
import { isMultical, rigOfMultical } from './formats/multical.js';
import { readMetashape } from './formats/metashape.js';
import { opencvStorage } from './formats/opencvStorage.js';
import type { OpencvCamera } from './opencvCamera.js';
import type { CalibrationDefaults } from './options.js';
import { longest, parseTree } from './fields/parseTree.js';
import { readRigFile } from './rigFile/readRigFile.js';
import { isSuffixed, rigOfSuffixed } from './rigFile/suffixed.js';
import { isTransformsJson, readTransformsJson } from './formats/transformsJson.js';
import { parseXml, type Element } from './fields/xml.js';

/** A calibration file that has been parsed, but not understood yet. */
export type ParsedCalibrations =
  | { readonly kind: 'metashape'; readonly root: Element }
  | {
      /** `parts`: fields that carry their camera's name, which another file may complete. */
      readonly kind: 'fields' | 'parts';
      readonly values: Readonly<Record<string, unknown>>;
    };

/** Parses a calibration file: YAML, JSON or XML. @throws FormatError */
export function parseCalibrationFile(text: string, file: string): ParsedCalibrations {
  if (text.length > longest) {
    throw new FormatError({ file, expected: `at most ${longest} characters`, found: `${text.length}` });
  }
  if (!withoutByteOrderMark(text).trimStart().startsWith('<')) return fieldsOf(parseTree(text, file));
  const root = parseXml(withoutByteOrderMark(text).trimStart(), file);
  if (root.name === 'opencv_storage') return fieldsOf(opencvStorage(root, file));
  if (root.name === 'document') return { kind: 'metashape', root };
  const expected = "OpenCV's storage (opencv_storage) or Metashape's cameras (document)";
  throw new FormatError({ file, expected, found: quoted(root.name) });
}

function fieldsOf(values: Readonly<Record<string, unknown>>): ParsedCalibrations {
  const isOther = isTransformsJson(values) || isKalibr(values);
  return { kind: !isOther && isSuffixed(values) ? 'parts' : 'fields', values };
}

/**
 * The cameras of a calibration file, whichever of these it is, by its content: OpenCV's storage (YAML, XML, JSON) and
 * plain YAML or JSON with such fields, multical's and CMU Panoptic's JSON, Kalibr's camera chain, Metashape's XML,
 * `transforms.json`.
 *
 * @param stem the file's name without extension: the camera's, where the file holds one that has no name.
 * @throws FormatError naming the file, the camera and the field
 */
export function camerasOf(
  parsed: ParsedCalibrations,
  file: string,
  stem: string,
  defaults: CalibrationDefaults,
): OpencvCamera[] {
  if (parsed.kind === 'metashape') return readMetashape(parsed.root, file, defaults);
  const { values } = parsed;
  if (parsed.kind === 'parts' || isMultical(values)) {
    const { rig, notes } = parsed.kind === 'parts' ? rigOfSuffixed(values, file) : rigOfMultical(values, file);
    for (const note of notes) defaults.onNote?.(note);
    return readRigFile(rig, file, stem, defaults);
  }
  if (isTransformsJson(values)) return readTransformsJson(values, file, defaults);
  if (isKalibr(values)) return readKalibr(values, file, defaults);
  return readRigFile(values, file, stem, defaults);
}

/** Both in one: the cameras in the text of a file. @throws FormatError */
export function parseCalibrations(
  text: string,
  file: string,
  stem: string,
  defaults: CalibrationDefaults,
): OpencvCamera[] {
  return camerasOf(parseCalibrationFile(text, file), file, stem, defaults);
}
