import { existsSync } from 'node:fs';
import { temporalBinary, versitygwBinary } from '../setup/cache/cacheContents.mjs';
import { temporalProgram, versitygwProgram } from '../services/binaries.js';
import { isPortFree } from '../services/ports.js';
import { type Check, check } from './check.js';
import { type Probe, probe } from './probe.js';

/** Ports that the embedded services prefer. */
const preferredPorts = { 'Temporal server': 7233, 'Temporal web page': 8233, 'S3 server': 9000 };

/** The Temporal and S3 servers for one machine, and the ports that they would like. */
export async function checkServers(): Promise<Check[]> {
  return [...(await Promise.all([checkTemporal(), checkObjectStore()])), await checkPorts()];
}

async function checkTemporal(): Promise<Check> {
  const { ran, text } = await versionOf(temporalBinary(), temporalProgram);
  return check('Temporal server', ran, 'missing', {
    found: ran ? text.replace('temporal version ', '') : text,
    expected: 'the one that the set-up keeps in the cache',
    mend: 'Run `npm run setup`.',
  });
}

async function checkObjectStore(): Promise<Check> {
  const { ran, text } = await versionOf(versitygwBinary(), versitygwProgram);
  return check('S3 server', ran, 'missing', {
    found: ran ? `versitygw ${/Version\s*:\s*(\S+)/.exec(text)?.[1] ?? text}` : text,
    expected: 'the one that the set-up keeps in the cache',
    mend: 'Run `npm run setup`.',
  });
}

/** @param check refuses one that is not the program that was set up. */
async function versionOf(file: string, check: () => Promise<string>): Promise<Probe> {
  if (!existsSync(file)) return { ran: false, text: 'not found' };
  try {
    return await probe(await check(), ['--version']);
  } catch (error) {
    return { ran: false, text: error instanceof Error ? error.message : String(error) };
  }
}

async function checkPorts(): Promise<Check> {
  const states = await Promise.all(
    Object.entries(preferredPorts).map(async ([name, port]) => ({ name, port, free: await isPortFree(port) })),
  );
  const taken = states.filter(({ free }) => !free).map(({ name, port }) => `${port} (${name})`);
  return check('Ports', taken.length === 0, 'warning', {
    found: taken.length === 0 ? 'free' : `in use: ${taken.join(', ')}`,
    expected: Object.values(preferredPorts).join(', '),
    mend: 'Nothing, if tempeh-flow runs already; otherwise other ports are taken.',
  });
}
