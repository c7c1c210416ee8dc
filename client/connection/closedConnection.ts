import type { Interceptor, NextCall } from '@grpc/grpc-js';
import { InterceptingCall, Metadata, status } from '../temporal.js';

type Call = ReturnType<NextCall>;

/**
 * Lets a question end that is asked on a closed connection. Temporal's client asks again from a timer when there was no
 * answer, and gRPC throws there once the connection is closed: that would end the process, and hide why it was closed.
 */
export const endOnClosed: Interceptor = (options, nextCall) => {
  try {
    return new InterceptingCall(nextCall(options));
  } catch (cause) {
    return new InterceptingCall(endedCall(cause instanceof Error ? cause.message : String(cause)));
  }
};

/** A call that was never made: it ends as cancelled, which is not tried again. */
function endedCall(details: string): Call {
  const nothing = (): void => undefined;
  return {
    start: (_metadata, listener) => {
      const ended = { code: status.CANCELLED, details, metadata: new Metadata() };
      process.nextTick(() => {
        listener?.onReceiveMessage?.(null);
        listener?.onReceiveStatus?.(ended);
      });
    },
    cancelWithStatus: nothing,
    getPeer: () => '',
    sendMessage: nothing,
    sendMessageWithContext: nothing,
    startRead: nothing,
    halfClose: nothing,
    getAuthContext: () => null,
  };
}
