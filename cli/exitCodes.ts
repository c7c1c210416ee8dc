/** What the command's exit code says. Documented in `tempeh-flow --help` and in the README. */
export const exitCodes = {
  ok: 0,
  /** A run, a step or a check failed. */
  failed: 1,
  /** A command line or configuration that cannot be used. */
  usage: 2,
  /** Temporal, the object store or another service does not answer. */
  unreachable: 3,
  /** Ctrl-C, or another signal, before the work was done. */
  interrupted: 130,
  /** Nobody reads what the command only shows: what a shell says of a program that SIGPIPE ended. */
  noReader: 141,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
