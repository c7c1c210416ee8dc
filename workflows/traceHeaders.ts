import type { WorkflowInterceptors } from '@temporalio/workflow';

/** What the interceptors of OpenTelemetry call it (`TRACE_HEADER` of @temporalio/interceptors-opentelemetry). */
const traceHeader = '_tracer-data';

type Headers = Readonly<Record<string, unknown>>;

/**
 * Hands on what a workflow was started with to its steps and activities, so that a trace leads from the command to them. The
 * SDK's own interceptors of workflows also make spans of workflows; but they wait where ours do not, and a run that began
 * without them would not replay. These wait nowhere.
 */
export const interceptors = (): WorkflowInterceptors => {
  let header: unknown;
  const carrying = <Input extends { readonly headers: Headers }>(input: Input): Input =>
    header === undefined ? input : { ...input, headers: { ...input.headers, [traceHeader]: header } };
  return {
    inbound: [
      {
        execute: (input, next) => {
          header = input.headers[traceHeader];
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(carrying(input)),
        startChildWorkflowExecution: (input, next) => next(carrying(input)),
        continueAsNew: (input, next) => next(carrying(input)),
      },
    ],
  };
};
