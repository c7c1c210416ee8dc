import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import os from 'node:os';
import { dirname } from 'node:path';
import { cacheDirectory, packageRoot } from '../setup/paths.mjs';
import { type Check, check } from './check.js';

const gibibyte = 2 ** 30;
const comfortableDisk = 5;
const comfortableMemory = 6;

/** Processor, memory, C library and disks. */
export async function checkMachine(): Promise<Check[]> {
  return [checkPlatform(), checkCores(), checkBfloat16(), checkMemory(), ...(await checkDisks())];
}

function checkPlatform(): Check {
  // Without it the report looks up names on the network.
  Object.assign(process.report, { excludeNetwork: true });
  const { glibcVersionRuntime: glibc } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } })
    .header;
  const [major = 0, minor = 0] = (glibc ?? '0.0').split('.').map(Number);
  const supported = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
  return check('Platform', supported && (major > 2 || (major === 2 && minor >= 27)), 'missing', {
    found: `${process.platform} ${process.arch}, ${glibc ? `GNU C library ${glibc}` : 'no GNU C library'}`,
    expected: 'linux x64 (or arm64, not tried), GNU C library 2.27 or newer',
    mend: 'Use a Linux such as Debian 10 or Ubuntu 18.04 or newer, a container of it, or WSL 2.',
  });
}

function checkCores(): Check {
  const cores = os.availableParallelism();
  return check('Processor cores', cores >= 2, 'warning', {
    found: String(cores),
    expected: '2 or more',
    mend: 'Training works, at about half the speed that the README gives.',
  });
}

/** Arithmetic that `precision: bfloat16` is fast with; the flags are those that oneDNN asks for. */
function checkBfloat16(): Check {
  const processor = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const flags = [...new Set(processor.match(/\b(avx512_bf16|amx_bf16)\b/g))];
  const found = flags.length > 0 ? flags.join(', ') : 'none: precision: bfloat16 saves memory, and takes longer';
  return check('bfloat16 of the processor', true, 'warning', { found, expected: 'avx512_bf16 or amx_bf16', mend: '' });
}

function checkMemory(): Check {
  const available = availableMemory() / gibibyte;
  return check('Memory', available >= comfortableMemory, available < 2 ? 'missing' : 'warning', {
    found: `${available.toFixed(1)} GiB available of ${(os.totalmem() / gibibyte).toFixed(1)}`,
    expected: `${comfortableMemory} GiB for the miniature`,
    mend: 'End other programs, or raise the memory limit of the container.',
  });
}

/** What this process and its children may still take: of the machine, or of the container. */
function availableMemory(): number {
  const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const kilobytes = /MemAvailable:\s+(\d+) kB/.exec(read('/proc/meminfo'))?.[1];
  const machine = kilobytes ? Number(kilobytes) * 1024 : os.freemem();
  const limit = Number.parseInt(read('/sys/fs/cgroup/memory.max'), 10);
  const used = Number.parseInt(read('/sys/fs/cgroup/memory.current'), 10);
  return Number.isNaN(limit) || Number.isNaN(used) ? machine : Math.min(machine, limit - used);
}

function checkDisks(): Promise<Check[]> {
  const places = [
    { name: 'Disk of the repository', folder: packageRoot },
    { name: 'Disk of the cache', folder: existingAbove(cacheDirectory) },
  ];
  return Promise.all(
    places.map(async ({ name, folder }) => {
      const { bavail, bsize } = await statfs(folder);
      const free = (bavail * bsize) / gibibyte;
      return check(name, free >= comfortableDisk, free < 1 ? 'missing' : 'warning', {
        found: `${free.toFixed(1)} GiB free (${folder})`,
        expected: `${comfortableDisk} GiB for the miniature`,
        mend:
          folder === packageRoot
            ? 'Make room, or clone to another disk.'
            : 'Make room, or set TEMPEH_CACHE to a folder on another disk.',
      });
    }),
  );
}

/** A folder, or the nearest above it that exists. */
function existingAbove(folder: string): string {
  return existsSync(folder) ? folder : existingAbove(dirname(folder));
}
