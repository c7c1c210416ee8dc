/**
 * Not a test: a program that starts services and then waits to be killed, as `npm start` may be.
 * Usage: serviceHost.js DIRECTORY; prints one line of JSON when both services are healthy.
 */
import path from 'node:path';
import { startObjectStore, startTemporal } from '../../infra/services/index.js';

const directory = process.argv[2];
if (!directory) throw new Error('Usage: serviceHost.js DIRECTORY');
const [temporal, objects] = await Promise.all([
  startTemporal({ directory: path.join(directory, 'temporal'), port: 0, uiPort: 0 }),
  startObjectStore({ directory: path.join(directory, 'objects'), port: 0, bucket: 'tempeh' }),
]);
// Before the line that tells the test to send one.
process.on('SIGINT', () => undefined);
console.log(JSON.stringify({ groups: [temporal.pid, objects.pid], ports: [...temporal.ports, ...objects.ports] }));
setInterval(() => undefined, 60_000);
