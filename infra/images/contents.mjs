/**
 * Writes what is in the image that it runs in, with versions and licences, as CycloneDX: `/app/sbom.cdx.json`, of Debian's
 * packages, Node, npm packages, TensorFlow and CUDA. An npm package that the list of package-lock.json lacks is an error.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { installedMarker, packageRoot } from '../setup/paths.mjs';
import { tensorflowWheels } from '../setup/pins.mjs';

const list = path.join(packageRoot, 'npm.cdx.json');
const packages = path.join(packageRoot, 'node_modules');

/**
 * @param {string} folder a `node_modules`
 * @returns {string[]} `name@version` of what is installed in it and below
 */
function installedPackages(folder) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(path.join(folder, name)).map((part) => `${name}/${part}`) : [name],
    );
  return names.flatMap((name) => {
    const file = path.join(folder, name, 'package.json');
    if (!existsSync(file)) return [];
    const { version } = JSON.parse(readFileSync(file, 'utf8'));
    return [`${name}@${version}`, ...installedPackages(path.join(folder, name, 'node_modules'))];
  });
}

/**
 * @param {string} folder of a Debian package's documents
 * @returns {string} its licences by name; where they are told where that is not written for machines
 */
function debianLicence(folder) {
  const file = path.join(folder, 'copyright');
  if (!existsSync(file)) return `see ${folder}`;
  const text = readFileSync(file, 'utf8');
  const found = /^Format:/m.test(text) ? [...text.matchAll(/^License: *(?<name>\S.*)$/gm)] : [];
  const names = new Set(found.map(({ groups }) => /** @type {{ name: string }} */ (groups).name.trim()));
  return names.size === 0 ? `see ${file}` : [...names].sort().join(', ');
}

function debianPackages() {
  const status = readFileSync('/var/lib/dpkg/status', 'utf8');
  return status.split('\n\n').flatMap((block) => {
    /** @type {(name: string) => string} */
    const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
    if (!/ installed$/.test(field('Status'))) return [];
    const [name, version, architecture] = [field('Package'), field('Version'), field('Architecture')];
    const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`;
    const license = { name: debianLicence(path.join('/usr/share/doc', name)) };
    return [{ type: 'library', 'bom-ref': purl, name, version, purl, licenses: [{ license }] }];
  });
}

function tensorflow() {
  if (!existsSync(installedMarker)) return [];
  const { variant, runtime } = JSON.parse(readFileSync(installedMarker, 'utf8'));
  return tensorflowWheels(variant).map(({ distribution, version, sha256 }) => {
    const purl = `pkg:pypi/${distribution}@${version}`;
    const license = distribution.startsWith('tensorflow')
      ? { id: 'Apache-2.0' }
      : { name: `NVIDIA's, see ${runtime}/licences/${distribution}` };
    const hashes = [{ alg: 'SHA-256', content: sha256 }];
    return { type: 'library', 'bom-ref': purl, name: distribution, version, purl, hashes, licenses: [{ license }] };
  });
}

/** @typedef {{ name: string, version: string }} Component */
const document = JSON.parse(readFileSync(list, 'utf8'));
const installed = new Set(installedPackages(packages));
const ofNpm = document.components.filter((/** @type {Component} */ { name, version }) =>
  installed.has(`${name}@${version}`),
);
const listed = new Set(ofNpm.map((/** @type {Component} */ { name, version }) => `${name}@${version}`));
const unlisted = [...installed].filter((name) => !listed.has(name));
if (unlisted.length > 0) throw new Error(`Installed, and not in package-lock.json: ${unlisted.join(', ')}`);
const node = {
  type: 'application',
  'bom-ref': `pkg:generic/node@${process.versions.node}`,
  name: 'node',
  version: process.versions.node,
  purl: `pkg:generic/node@${process.versions.node}`,
  licenses: [{ license: { name: 'see /usr/share/doc/node/copyright' } }],
};
const components = [...debianPackages(), node, ...tensorflow(), ...ofNpm];
writeFileSync(path.join(packageRoot, 'sbom.cdx.json'), JSON.stringify({ ...document, components }, null, 1));
rmSync(list);
console.log(`sbom.cdx.json: ${components.length} packages, ${ofNpm.length} of them npm's`);
