// Compiled into TensorFlow's binding: no signal is handled by a thread that computes.
//
// oneDNN's kernels for small matrix products (AVX2 and AVX-512; TensorFlow 2.21) use the stack pointer as one more
// register: it points into the heap meanwhile, and that is where the operating system puts the frame of a signal's
// handler. SIGTERM, which a pre-empted trainer saves its checkpoint at, is such a signal.
//
// The thread that loads the binding, and all that it starts later (TensorFlow's), block the signals that have handlers;
// a thread that does nothing else takes them. Node's handlers only write to a pipe, whatever thread they run on. A child
// process starts with no signal blocked: libuv sees to it.

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <initializer_list>

namespace {

void* TakeSignals(void*) {
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  for (;;) pause();
}

__attribute__((constructor)) void KeepSignalsOff() {
  sigset_t handled;
  sigfillset(&handled);
  // What a thread's own instructions raise is its own.
  for (int own : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP}) sigdelset(&handled, own);
  pthread_t taker;
  if (pthread_create(&taker, nullptr, TakeSignals, nullptr) != 0) return;
  pthread_detach(taker);
  pthread_sigmask(SIG_BLOCK, &handled, nullptr);
}

}  // namespace
