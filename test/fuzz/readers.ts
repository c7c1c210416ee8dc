import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc, { type Arbitrary } from 'fast-check';
import { parseManifest } from '../../checkpoints/manifest/manifest.js';
import { decodeSafetensors, SafetensorsError } from '../../checkpoints/safetensors.js';
import { ConfigurationError } from '../../configs/configurationError.js';
import { resolveConfiguration } from '../../configs/load.js';
import { parseAlignment } from '../../datasets/calibrations/alignment.js';
import { parseCamerasBinary, parseImagesBinary } from '../../datasets/calibrations/colmap/binary.js';
import { parseCamerasText, parseImagesText } from '../../datasets/calibrations/colmap/text.js';
import { parseCalibrations } from '../../datasets/calibrations/parseCalibrations.js';
import { parseDataList } from '../../datasets/formats/dataList.js';
import { FormatError } from '../../datasets/formats/formatError.js';
import { decodeImage, imageSize } from '../../datasets/formats/images/image.js';
import { isMeshSampler, readMeshSampler } from '../../datasets/formats/meshes/meshSampler.js';
import { parseNpy } from '../../datasets/formats/numpy/npy.js';
import { openNpz, parseNpz } from '../../datasets/formats/numpy/npz.js';
import { parseObj } from '../../datasets/formats/meshes/obj.js';
import { numpyVocabulary } from '../../datasets/formats/pickle/numpyVocabulary.js';
import { readPickle } from '../../datasets/formats/pickle/pickleReader.js';
import { plainVocabulary } from '../../datasets/formats/pickle/plainVocabulary.js';
import { sparseVocabulary } from '../../datasets/formats/pickle/sparseVocabulary.js';
import { parsePly } from '../../datasets/formats/meshes/ply.js';
import { torchVocabulary } from '../../datasets/formats/pytorch/torchVocabulary.js';
import { textOf } from '../../datasets/formats/text.js';
import { parseTka } from '../../datasets/formats/tka.js';
import { parseIndex } from '../../datasets/index/indexFile.js';
import { decodeView } from '../../datasets/images/decodeView.js';
import { checkPng } from '../../datasets/pack/checkPng.js';
import { readFrameArchive } from '../../datasets/reader/frameArchive.js';
import { readScan } from '../../datasets/reader/readScan.js';
import { readTemplate } from '../../datasets/reader/readTemplate.js';
import { readVertexRegions } from '../../datasets/vertexRegions.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { StoredObjectInvalid } from '../../storage/storedJson.js';
import { PublishedCheckpointMismatch } from '../../training/published/errors.js';
import { readPublishedFile } from '../../training/published/readPublished.js';
import { checkpointFiles } from './inputs/checkpoints.js';
import { maskFiles, meshSamplers, npyFiles, npzFiles } from './inputs/arrays.js';
import { imageFiles } from './inputs/images.js';
import { objFiles, plyFiles } from './inputs/meshes.js';
import { pickles, pytorchFiles } from './inputs/pickles.js';
import * as calibrations from './inputs/calibrations.js';
import { configurations, overrides } from './inputs/configurations.js';
import { yamlTrees } from './inputs/yamlTrees.js';
import { dataLists, tarFiles, tkaFiles } from './inputs/frames.js';
import { datasetIndexes, manifests, safetensorsFiles } from './inputs/stored.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

/** A reader, and files for it. */
export interface FuzzedReader {
  readonly name: string;
  readonly inputs: Arbitrary<Buffer>;
  /** @param file its name for messages. @throws what a reader may throw, and for values that cannot be. */
  readonly read: (bytes: Buffer, file: string) => unknown;
}

/** What a reader may throw: errors that say which file it is, and where. */
export const typedErrors = [
  FormatError,
  ConfigurationError,
  SafetensorsError,
  StoredObjectInvalid,
  PublishedCheckpointMismatch,
];

const folder = temporaryFolder();
/** For readers that take a path. */
const onDisk = (extension: string, read: (path: string) => Promise<unknown>) => async (bytes: Buffer, file: string) => {
  const path = join(folder, `${file}${extension}`);
  await writeFile(path, bytes);
  return read(path);
};

function checkMesh({ vertices, faces }: Mesh): void {
  if (vertices.length % 3 !== 0 || faces.length % 3 !== 0) throw new Error('a mesh of broken triangles');
  if (faces.some((index) => 3 * index >= vertices.length)) throw new Error('a face of a vertex that is not there');
  if (!vertices.every(Number.isFinite)) throw new Error('a vertex that is nowhere');
}

const id = { subject: 's', sequence: 'q', frame: '1' };
const metres = { units: 'm' } as const;
const vocabularies = [torchVocabulary, plainVocabulary, numpyVocabulary, sparseVocabulary];

export const fuzzedReaders: readonly FuzzedReader[] = [
  { name: 'ply', inputs: plyFiles, read: (bytes, file) => checkMesh(parsePly(bytes, file)) },
  { name: 'obj', inputs: objFiles, read: (bytes, file) => checkMesh(parseObj(textOf(bytes, file), file)) },
  { name: 'npy', inputs: npyFiles, read: parseNpy },
  { name: 'scan', inputs: npyFiles, read: (bytes, file) => readScan({ bytes, file: `${file}.npy` }) },
  { name: 'npz', inputs: npzFiles, read: parseNpz },
  { name: 'masks', inputs: maskFiles, read: (bytes, file) => readVertexRegions(bytes, file, 4) },
  {
    name: 'mesh_sampler',
    inputs: meshSamplers,
    read: (bytes, file) => {
      const archive = openNpz(bytes, file);
      if (isMeshSampler(archive)) checkMesh(readMeshSampler(archive, file));
    },
  },
  { name: 'template', inputs: npzFiles, read: onDisk('.npz', async (path) => checkMesh(await readTemplate(path))) },
  { name: 'pickle', inputs: pickles, read: (bytes, file) => readPickle(bytes, vocabularies, { file, where: 'here' }) },
  { name: 'pth', inputs: pytorchFiles, read: onDisk('.pth', (path) => readPublishedFile(path)) },
  { name: 'pth layout', inputs: checkpointFiles, read: onDisk('.pth', (path) => readPublishedFile(path)) },
  { name: 'image', inputs: imageFiles, read: (bytes, file) => decodeImage(bytes, file) },
  { name: 'image size', inputs: imageFiles, read: imageSize },
  { name: 'png check', inputs: imageFiles, read: checkPng },
  { name: 'tar', inputs: tarFiles, read: (bytes, file) => readFrameArchive(bytes, file, id) },
  { name: 'tka', inputs: tkaFiles, read: readCamera },
  { name: 'data list', inputs: dataLists, read: (bytes, file) => parseDataList(textOf(bytes, file), file) },
  { name: 'dataset.json', inputs: datasetIndexes, read: parseIndex },
  { name: 'manifest.json', inputs: manifests, read: (bytes) => parseManifest(bytes, 'r', 'coarse') },
  { name: 'safetensors', inputs: safetensorsFiles, read: decodeSafetensors },
  {
    name: 'calibrations',
    inputs: calibrations.calibrations,
    read: (bytes, file) => parseCalibrations(textOf(bytes, file), file, 'x', metres),
  },
  {
    name: 'alignment',
    inputs: calibrations.colmapTexts,
    read: (bytes, file) => parseAlignment(textOf(bytes, file), file),
  },
  {
    name: 'colmap cameras',
    inputs: calibrations.colmapTexts,
    read: (bytes, file) => parseCamerasText(textOf(bytes, file), file),
  },
  {
    name: 'colmap images',
    inputs: calibrations.colmapTexts,
    read: (bytes, file) => parseImagesText(textOf(bytes, file), file),
  },
  { name: 'colmap cameras.bin', inputs: calibrations.colmapBinaries, read: parseCamerasBinary },
  { name: 'colmap images.bin', inputs: calibrations.colmapBinaries, read: parseImagesBinary },
  {
    name: 'configuration',
    inputs: fc.tuple(configurations, overrides).map(([text, set]) => Buffer.from(JSON.stringify({ text, set }))),
    read: (bytes, file) => {
      const { text, set } = JSON.parse(bytes.toString()) as { text: string; set: string[] };
      return resolveConfiguration(text, file, set, () => undefined);
    },
  },
  {
    name: 'configuration tree',
    inputs: yamlTrees.map((text) => Buffer.from(text)),
    read: (bytes, file) => resolveConfiguration(bytes.toString(), file, [], () => undefined),
  },
];

const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);

/** A calibration, and the camera and image that it makes. */
async function readCamera(bytes: Buffer, file: string): Promise<void> {
  const calibration = parseTka(textOf(bytes, file), file);
  const { camera } = await decodeView({ name: 'x', bytes: picture, file, calibration }, 4);
  const { intrinsics, extrinsics, distortion } = camera;
  for (const value of [...intrinsics, ...extrinsics, ...distortion]) {
    if (!Number.isFinite(value)) throw new Error('a camera that is nowhere');
  }
}
