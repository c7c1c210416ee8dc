import { DefaultFailureConverter } from '@temporalio/common';

/** Failures whose messages and stacks are payloads, too: so that they are encrypted as those are. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
