import type { Client } from '@temporalio/client';
import type { Payload, ProtoFailure } from '@temporalio/common';
import { decodeOptionalFailureToOptionalError, decodeOptionalSinglePayload } from '../temporal.js';

/** The value of a payload that was read past the SDK, by the client's own converter. */
export async function valueOf<T>({ options }: Client, payload: Payload | null | undefined): Promise<T | null> {
  return (await decodeOptionalSinglePayload<T>(options.loadedDataConverter, payload)) ?? null;
}

/** The message of a failure that was read past the SDK; null where it has none. */
export async function messageOf({ options }: Client, failure: ProtoFailure | null | undefined): Promise<string | null> {
  const error = await decodeOptionalFailureToOptionalError(options.loadedDataConverter, failure);
  return error?.message || null;
}
