/** Makes the workflows' bundles beside the compiled code: a worker on a read-only root finds them there. */
import { dataConverter } from '../../build/client/payloads/dataConverter.js';
import { LineLogger } from '../../build/workers/log.js';
import { workflowBundle } from '../../build/workers/temporal/workflowBundle.js';

const logger = new LineLogger('images');
for (const environment of [{}, { TEMPEH_PAYLOAD_KEYS: `build ${Buffer.alloc(32).toString('base64')}` }]) {
  const bundle = await workflowBundle(logger, dataConverter(environment));
  console.log('codePath' in bundle ? bundle.codePath : 'made; kept for the next start');
}
