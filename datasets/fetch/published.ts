import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

const archiveSchema = z.strictObject({
  /** PATH on the host; of a split archive without `.001`. */
  path: z.string(),
  /** How many volumes (`.001`, `.002`, …) it is split into; null where it is not split. */
  volumes: z.int().positive().nullable().default(null),
  /** Below the folder of the extracted data. */
  target: z.string(),
  /** The folder that it holds, below the target; '.' for files that go into the target itself. */
  content: z.string(),
});

const fileSchema = z.strictObject({
  path: z.string(),
  /** Below the folder of the extracted data. */
  target: z.string(),
});

const bundleSchema = z.strictObject({
  /** What it is, human-readable. */
  description: z.string(),
  /** About; null for less than one. */
  gigabytes: z.number().nullable().default(null),
  archives: z.array(archiveSchema),
  files: z.array(fileSchema),
});

const splitSchema = z.strictObject({
  list: z.string(),
  images: z.string(),
  calibrations: z.string(),
  scans: z.string().nullable(),
  registrations: z.string().nullable(),
});

const downloadSchema = z.strictObject({
  bundles: z.array(z.string()),
  /** Bundles that an option chooses, by its name. */
  parts: z
    .record(z.enum(['images', 'scans', 'registrations']), z.string())
    .nullable()
    .default(null),
  /** Folder of the extracted data, below the one that everything is fetched to. */
  folder: z.string(),
  /** Folders and lists of the splits that it brings; null where there are no frames. */
  layout: z
    .strictObject({
      train: splitSchema.nullable().default(null),
      validation: splitSchema.nullable().default(null),
      test: splitSchema.nullable().default(null),
    })
    .nullable()
    .default(null),
});

const publishedSchema = z.strictObject({
  host: z.url(),
  bundles: z.record(z.string(), bundleSchema),
  downloads: z.record(z.string(), downloadSchema),
});

/** A ZIP archive of the host, and the folder that it becomes. */
export type BundleArchive = Readonly<z.infer<typeof archiveSchema>>;
/** A file that is used as it is: a data list. */
export type BundleFile = Readonly<z.infer<typeof fileSchema>>;
/** What `tempeh-flow fetch` fetches by one name. */
export type PublishedDownload = Readonly<z.infer<typeof downloadSchema>>;

/** What the host offers, and how it is taken apart: `published.yaml`. */
export type Published = Readonly<z.infer<typeof publishedSchema>>;

/** `datasets/published.yaml`, which the sources and their build share. */
export const published: Published = publishedSchema.parse(
  parse(readFileSync(findFile(), 'utf8'), { merge: true }) as unknown,
);

function findFile(): string {
  const places = ['../published.yaml', '../../../datasets/published.yaml'];
  const found = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((file) => existsSync(file));
  if (found === undefined) throw new Error('datasets/published.yaml is not there: the installation is incomplete.');
  return found;
}
