import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurationReference } from '../../configs/documentation/describeSettings.js';
import { packageRoot } from '../../configs/packageRoot.js';
import { commandReference } from './commandReference.js';

// `npm run docs`: the pages that follow from the program.
await writeFile(join(packageRoot, 'docs/configuration.md'), configurationReference());
await writeFile(join(packageRoot, 'docs/commands.md'), await commandReference());
