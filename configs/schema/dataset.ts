import { z } from 'zod';
import { addressSchema } from './address.js';

/** A file of the head that all frames share. */
const headFileSchema = z.union(
  [
    z.string(),
    z.strictObject({
      file: z.string().min(1).describe('On the machine that starts the run, from where it is uploaded with it.'),
    }),
    z.strictObject({ object: z.string().min(1).describe('Key of an object in the run’s store.') }),
  ],
  { error: 'a path below the data’s folder, {file: PATH} (on this machine) or {object: KEY}' },
);
/** A path below the data's folder; a file that is uploaded with the run; or an object of its store. */
export type HeadFile = z.infer<typeof headFileSchema>;

/** Where the files of a split's frames are. */
const splitOf = <Registrations extends z.ZodType>(registrations: Registrations) =>
  z.strictObject({
    list: z.string().describe('Data list: a JSON array of [subject, sequence, frame].'),
    images: z.string().describe('Folder of images: SUBJECT/SEQUENCE/FRAME/SEQUENCE.FRAME.CAMERA.png.'),
    calibrations: z.string().describe('Folder of calibrations: SUBJECT/SEQUENCE/CAMERA.tka.'),
    scans: z.string().describe('Folder of scans, mm: SUBJECT/SEQUENCE/SEQUENCE.FRAME.npy, or .ply or .obj.'),
    registrations: registrations.describe('Folder of registrations, m: SUBJECT/SEQUENCE/SEQUENCE.FRAME.ply.'),
  });

/** Where the frames come from. */
export const datasetSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and dashes')
    .describe('Its name in the object store: `datasets/NAME/…`.'),
  source: z
    .discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('bundles'),
        host: addressSchema.describe(
          '`https://host/download.php`; the credentials come from the data worker’s environment or files.',
        ),
        passwordInClear: z
          .boolean()
          .optional()
          .describe(
            'User name and password may be sent to another machine by plain http, where everybody on the way can read them, and change what comes. Without it only https is asked, and this machine.',
          ),
        bundles: z
          .array(z.string())
          .min(1)
          .describe(
            'What is fetched, by the names in datasets/published.yaml (`tempeh-flow fetch --help` lists them).',
          ),
        sha256: z
          .record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits'))
          .optional()
          .describe(
            'Hex SHA-256 of files, by their PATH on the host, where they are known: what comes is compared with them.',
          ),
      }),
      /** A folder in FaMoS layout: nothing is fetched or extracted. */
      z.strictObject({
        kind: z.literal('directory'),
        path: z.string().describe('The folder, on the data worker’s disk.'),
        pack: z
          .boolean()
          .optional()
          .describe(
            'Of a folder: its frames are packed into the object store (the default). `false`: nothing is copied, and each worker reads them where they lie, under the same path; those that do not see it leave the work to others.',
          ),
      }),
    ])
    .describe('Where the files come from: bundles of a host, or a folder in FaMoS’s layout.'),
  downloads: z
    .string()
    .default('downloads')
    .describe('Relative to the data worker’s working folder (its `--directory`).'),
  extracted: z
    .string()
    .default('data')
    .describe('Folder that archives are extracted into, relative to the data worker’s `--directory`.'),
  layout: z
    .strictObject({
      train: splitOf(z.string()).describe('The training set.'),
      validation: splitOf(z.string()).describe('The validation set: people that are not trained on.'),
      test: splitOf(z.string().nullable())
        .nullable()
        .default(null)
        .describe('The test set, for the evaluation at the end; null: none, and no evaluation.'),
      template: headFileSchema.describe(
        'Head template, the topology of all meshes: a path below that folder (.obj), `{file: PATH}` on the machine that starts the run (.obj, .ply, .npz), or `{object: KEY}` of its store (.obj).',
      ),
      vertexMasks: headFileSchema.describe(
        'Vertices of the template by region (.npz): a path below that folder, `{file: PATH}` or `{object: KEY}`.',
      ),
    })
    .describe('Paths below `extracted` (or the source folder).'),
  storedResizeFactor: z
    .int()
    .positive()
    .default(4)
    .describe('The images are stored at this fraction of the sensor’s resolution.'),
  imageExtension: z.string().default('png').describe('Ending of the images’ names, without the dot.'),
  deleteDownloads: z.boolean().default(false).describe('Volumes are deleted once what they hold is packed.'),
  unusableFrames: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe(
      'The share of frames that may be unusable (missing or unreadable views, calibration, scan, registration) before the run stops.',
    ),
  worldChecks: z
    .enum(['refuse', 'ignore'])
    .optional()
    .describe(
      'Before packing some frames are compared with the template, and their scans with their registrations: `refuse` (the default) stops where most of them are in another unit or world, `ignore` packs them as they are.',
    ),
  downloadsAtOnce: z.int().positive().default(4).describe('Files that are fetched side by side.'),
});

/** Where the data come from, and how they are packed. */
export type DatasetConfiguration = z.infer<typeof datasetSchema>;
