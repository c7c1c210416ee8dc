import { createRequire } from 'node:module';
import type * as temporalClient from '@temporalio/client';
import type * as temporalCommon from '@temporalio/common';
import type * as temporalInternal from '@temporalio/common/lib/internal-non-workflow/index.js';
import type * as temporalEnvconfig from '@temporalio/envconfig';
import type * as temporalProto from '@temporalio/proto';
import type * as grpc from '@grpc/grpc-js';

/**
 * What we use of Temporal's client, loaded by `require`: of an imported CommonJS package Node parses everything that it
 * re-exports once more, to learn its names, which is a fifth of what `tempeh-flow list` would take. Types are imported
 * from the packages themselves.
 */
const require = createRequire(import.meta.url);

export const {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  makeGrpcRetryInterceptor,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} = require('@temporalio/client') as typeof temporalClient;
export type Client = temporalClient.Client;
export type Connection = temporalClient.Connection;
export const { defineSearchAttributeKey, SearchAttributeType } = require('@temporalio/common') as typeof temporalCommon;
export const { decodeOptionalFailureToOptionalError, decodeOptionalSinglePayload } =
  require('@temporalio/common/lib/internal-non-workflow/index.js') as typeof temporalInternal;
export const { loadClientConfigProfile } = require('@temporalio/envconfig') as typeof temporalEnvconfig;
export const { temporal } = require('@temporalio/proto') as typeof temporalProto;
export const { credentials, InterceptingCall, Metadata, status } = require('@grpc/grpc-js') as typeof grpc;
