// Tasks of a kernel of ours, on as many threads as TensorFlow gives an operation.

#pragma once

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace tfnodejs {

/** As TensorFlow counts them: `TF_NUM_INTRAOP_THREADS`, or the processors that this process may use. */
inline int64_t ThreadsOfOperation() {
  const char *asked = std::getenv("TF_NUM_INTRAOP_THREADS");
  const int64_t given = asked == nullptr ? 0 : std::atoll(asked);
  if (given > 0) return given;
  cpu_set_t processors;
  if (sched_getaffinity(0, sizeof processors, &processors) == 0) return CPU_COUNT(&processors);
  const unsigned counted = std::thread::hardware_concurrency();
  return counted > 0 ? counted : 1;
}

/** As many threads as work is worth, of those that an operation may have. @param each so much is worth one */
inline int64_t ThreadsWorth(double work, double each) {
  return static_cast<int64_t>(std::min<double>(work / each + 1, ThreadsOfOperation()));
}

/** Runs task(0) … task(count − 1), whichever thread takes which, and waits. @throws what a task has thrown */
template <typename Task>
void RunTasks(int64_t count, int64_t threads, const Task &task) {
  std::atomic<int64_t> next{0};
  std::exception_ptr failure;
  std::mutex failing;
  const auto work = [&] {
    try {
      for (int64_t i = next++; i < count; i = next++) task(i);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(failing);
      failure = std::current_exception();
      next = count;
    }
  };
  std::vector<std::thread> others;
  try {
    while (static_cast<int64_t>(others.size()) + 1 < threads && static_cast<int64_t>(others.size()) + 1 < count) {
      others.emplace_back(work);
    }
  } catch (const std::system_error &) {
    // No more threads are to be had: those that there are do it all.
  }
  work();
  for (std::thread &other : others) other.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace tfnodejs
