import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import type { UserFault } from '../configs/temporal.js';
import type { TrainerFault } from '../training/protocol.js';

/** What only a person can mend. The message says what to do. */
export function userFault(type: UserFault, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: true,
    ...(cause instanceof Error ? { cause } : {}),
  });
}

/** Stopped in an orderly way (pre-emption, worker update): another worker goes on at once, and no log calls it an error. */
export function stoppedFailure(message: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'Stopped',
    message,
    nextRetryDelay: '1 millisecond',
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** A fault of the infrastructure: retried without end, with the workflow's back-off, or after a delay of its own. */
export function passingFault(type: string, message: string, nextRetryDelay?: number): ApplicationFailure {
  return ApplicationFailure.create({ type, message, ...(nextRetryDelay === undefined ? {} : { nextRetryDelay }) });
}

const typesOfFaults: Readonly<Record<Exclude<TrainerFault, 'lease-lost' | 'infrastructure'>, UserFault>> = {
  configuration: 'ConfigurationInvalid',
  credentials: 'CredentialsRefused',
  data: 'DataUnusable',
  diverged: 'TrainingDiverged',
};

/**
 * The fault that a trainer or predictor gave up with.
 *
 * @param worked - the same work, or this worker, has had its credentials accepted before: refused, they have expired.
 */
export function processFault(fault: TrainerFault, message: string, worked: boolean): ApplicationFailure {
  if (fault === 'lease-lost') return passingFault('LeaseLost', message, 10_000);
  if (fault === 'credentials' && worked) {
    return passingFault(
      'CredentialsExpired',
      `${message} They were good before: it is tried again until they are renewed.`,
    );
  }
  return fault === 'infrastructure'
    ? passingFault('Infrastructure', message)
    : userFault(typesOfFaults[fault], message);
}

/** Names of errors of our rooms that only a person can mend; all others count as passing. */
const userErrors: Readonly<Record<string, UserFault>> = {
  ConfigurationError: 'ConfigurationInvalid',
  StoreAccessDenied: 'CredentialsRefused',
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
