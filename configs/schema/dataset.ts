import { z } from 'zod';
import { addressSchema } from './address.js';

/** Where the frames come from. */
export const datasetSchema = z.strictObject({
  /** Its name in the object store: `datasets/NAME/…`. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and dashes'),
  source: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('bundles'),
      /** `https://host/download.php`; the credentials come from the data worker's environment or files. */
      host: addressSchema,
      /**
       * User name and password may be sent to another machine by plain http, where everybody on the way can read them, and
       * change what comes. Without it only https is asked, and this machine.
       */
      passwordInClear: z.boolean().optional(),
      bundles: z.array(z.string()).min(1),
      /** Hex SHA-256 of files, by their PATH on the host, where they are known: what comes is held against them. */
      sha256: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits')).optional(),
    }),
    /** A folder in FaMoS layout on the data worker's disk: nothing is fetched or extracted, only packed. */
    z.strictObject({ kind: z.literal('directory'), path: z.string() }),
  ]),
  /** Relative to the data worker's working folder (its `--directory`). */
  downloads: z.string().default('downloads'),
  extracted: z.string().default('data'),
  /** Paths below `extracted` (or the source folder). */
  layout: z.strictObject({
    train: z.strictObject({
      list: z.string(),
      images: z.string(),
      calibrations: z.string(),
      scans: z.string(),
      registrations: z.string(),
    }),
    validation: z.strictObject({
      list: z.string(),
      images: z.string(),
      calibrations: z.string(),
      scans: z.string(),
      registrations: z.string(),
    }),
    test: z.strictObject({
      list: z.string(),
      images: z.string(),
      calibrations: z.string(),
      scans: z.string(),
      registrations: z.string().nullable(),
    }),
    template: z.string(),
    vertexMasks: z.string(),
  }),
  /** The images are stored at this fraction of the sensor's resolution. */
  storedResizeFactor: z.int().positive().default(4),
  imageExtension: z.string().default('png'),
  /** Volumes are deleted once what they hold is packed. */
  deleteDownloads: z.boolean().default(false),
  /** The share of frames that may be unusable (missing or unreadable views, calibration, scan, registration) before the run stops. */
  unusableFrames: z.number().min(0).max(1).default(0.01),
  downloadsAtOnce: z.int().positive().default(4),
});

export type DatasetConfiguration = z.infer<typeof datasetSchema>;
