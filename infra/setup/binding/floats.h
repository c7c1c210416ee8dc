// Memory that a kernel of ours computes in.

#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace tfnodejs {

constexpr int64_t RoundUp(int64_t size, int64_t to) { return (size + to - 1) / to * to; }

/** Floats from a cache line on; not initialised. */
class Floats {
 public:
  explicit Floats(int64_t size)
      : data_(static_cast<float *>(std::aligned_alloc(64, RoundUp(4 * size + 1, 64))), &std::free) {
    if (data_ == nullptr) throw std::bad_alloc();
  }
  operator float *() const { return data_.get(); }

 private:
  std::unique_ptr<float, decltype(&std::free)> data_;
};

}  // namespace tfnodejs
