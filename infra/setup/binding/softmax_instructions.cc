// Compiled into TensorFlow's binding: the softmax's tiles for each instruction set (see softmax_expectation.h and vectors.h).

#include "softmax_expectation.h"

#include <cfloat>
#include <cstring>

#include "vectors.h"

#ifdef __x86_64__
#include <immintrin.h>

namespace tfnodejs {
namespace softmax {

#define KERNEL __attribute__((target("avx512f,fma")))
#define INLINE static inline __attribute__((always_inline)) KERNEL
namespace avx512 {
#include "avx512_vectors.h"
constexpr int kRows = 8, kVectors = 3, kKeyRows = 12, kKeyVectors = 2;
#include "softmax_tiles.h"
constexpr InstructionSet set = {LayOut, Forward, Backward, AddUp};
}  // namespace avx512
#undef KERNEL
#undef INLINE

#define KERNEL __attribute__((target("avx2,fma")))
#define INLINE static inline __attribute__((always_inline)) KERNEL
namespace avx2 {
#include "avx2_vectors.h"
constexpr int kRows = 4, kVectors = 3, kKeyRows = 6, kKeyVectors = 2;
#include "softmax_tiles.h"
constexpr InstructionSet set = {LayOut, Forward, Backward, AddUp};
}  // namespace avx2
#undef KERNEL
#undef INLINE

const InstructionSet *ChosenInstructionSet() {
  if (ChosenVectors() == Vectors::kAvx512) return &avx512::set;
  return ChosenVectors() == Vectors::kAvx2 ? &avx2::set : nullptr;
}

}  // namespace softmax
}  // namespace tfnodejs

#else

const tfnodejs::softmax::InstructionSet *tfnodejs::softmax::ChosenInstructionSet() { return nullptr; }

#endif
