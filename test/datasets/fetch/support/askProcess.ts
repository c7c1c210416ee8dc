/** Asks a host for a file and prints the error: `node askProcess.js HOST`. */
import { requestFile } from '../../../../datasets/fetch/host/hostRequest.js';

const { signal } = new AbortController();
await requestFile(process.argv[2] ?? '', 'x.zip', { username: 'a', password: 'b' }, {}, signal).then(
  () => process.stdout.write('answered'),
  (error: unknown) => process.stdout.write(String(error)),
);
