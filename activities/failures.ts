import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import type { OrderlyEnd, UserFault } from '../configs/temporal.js';
import { jittered } from '../storage/async/persistently.js';
import type { TrainerFault } from '../training/process/protocol.js';

/** What needs a person. The message says what to do. */
export function userFault(
  type: UserFault,
  message: string,
  cause?: unknown,
  details: readonly unknown[] = [],
): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: true,
    details: [...details],
    ...(cause instanceof Error ? { cause } : {}),
  });
}

/**
 * Stopped in an orderly way (pre-emption, worker update), or given back before it began: another worker goes on at once, and
 * no log calls it an error.
 */
export function stoppedFailure(message: string, type: OrderlyEnd = 'Stopped'): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nextRetryDelay: '1 millisecond',
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** Milliseconds until work is tried again that got nowhere: longer with each attempt, and not the same for all that fail at once. */
export function backOff(attempt: number): number {
  return Math.round(jittered(Math.min(1000 * 2 ** Math.min(attempt - 1, 10), 15_000)));
}

/** A fault of the infrastructure: retried without end, with the workflow's back-off, or after a delay of its own. */
export function passingFault(type: string, message: string, nextRetryDelay?: number): ApplicationFailure {
  return ApplicationFailure.create({ type, message, ...(nextRetryDelay === undefined ? {} : { nextRetryDelay }) });
}

const typesOfFaults: Readonly<Record<Exclude<TrainerFault, 'lease-lost' | 'worker' | 'infrastructure'>, UserFault>> = {
  configuration: 'ConfigurationInvalid',
  credentials: 'CredentialsRefused',
  data: 'DataUnusable',
  diverged: 'TrainingDiverged',
};

/**
 * The fault that a trainer or predictor gave up with.
 *
 * @param worked the same work, or this worker, has had its credentials accepted before: refused, they have expired.
 * @param delay milliseconds until it is tried again, if it is.
 * @param details of a fault that ends the activity.
 */
export function processFault(
  fault: TrainerFault,
  message: string,
  worked: boolean,
  delay: number,
  details: readonly unknown[],
): ApplicationFailure {
  if (fault === 'lease-lost') return passingFault('LeaseLost', message, 10_000);
  if (fault === 'credentials' && worked) {
    return passingFault(
      'CredentialsExpired',
      `${message} They were good before: it is tried again until they are renewed.`,
      delay,
    );
  }
  return fault === 'infrastructure' || fault === 'worker'
    ? passingFault('Infrastructure', message, delay)
    : userFault(typesOfFaults[fault], message, undefined, details);
}

/** Names of errors of our rooms that need a person; all others count as passing. */
const userErrors: Readonly<Record<string, UserFault>> = {
  ConfigurationError: 'ConfigurationInvalid',
  StoreAccessDenied: 'CredentialsRefused',
  StoreUnsuitable: 'ConfigurationInvalid',
  StoredObjectInvalid: 'DataUnusable',
  ManifestMissing: 'DataUnusable',
  ProxyUnusable: 'ConfigurationInvalid',
};

/**
 * What an activity throws for an error of the room it calls.
 *
 * @param more names of that room's errors, and what they are; null: what passes.
 */
export function activityFailure(error: unknown, more: ErrorKinds = {}): unknown {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure || !(error instanceof Error))
    return error;
  const type = error.name in more ? more[error.name] : userErrors[error.name];
  return type === undefined || type === null ? error : userFault(type, error.message, error);
}

export type ErrorKinds = Readonly<Record<string, UserFault | null>>;

/** In a run that is under way, whose store was accepted when it was prepared: refused credentials have expired. */
export const underWay: ErrorKinds = { StoreAccessDenied: null };
