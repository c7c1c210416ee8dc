import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { RunError } from '../runError.js';
import { EncryptingCodec } from './payloadCodec.js';
import { PayloadKeys } from './payloadKeys.js';

/** How values become what Temporal stores. */
export interface TempehDataConverter extends DataConverter {
  readonly payloadCodecs: [EncryptingCodec];
}

/**
 * The one place that says how values become what Temporal stores: every client and every worker of ours has this
 * converter. JSON; encrypted where TEMPEH_PAYLOAD_KEYS(_FILE) has keys, the messages and stacks of failures included.
 * Names remain in clear: of workflows and their types, activities, queues, workers, search attributes.
 *
 * @throws RunError `setting`
 */
export function dataConverter(environment: NodeJS.ProcessEnv = process.env): TempehDataConverter {
  const keys = PayloadKeys.of(environment);
  if (keys !== null && !canRequireModules()) {
    throw new RunError('setting', `Payload keys need Node 22.12 or later; this is ${process.version}.`);
  }
  return {
    payloadCodecs: [new EncryptingCodec(keys)],
    ...(keys === null ? {} : { failureConverterPath: fileURLToPath(encodedFailures) }),
  };
}

const encodedFailures = new URL('../../workflows/encodedFailures.js', import.meta.url);

/** The SDK loads the converter of failures by `require`. */
function canRequireModules(): boolean {
  return (process.features as { require_module?: boolean }).require_module === true;
}
