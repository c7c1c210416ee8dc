// Compiled into TensorFlow's binding: the passes of batch normalisation for each instruction set (see
// batch_normalization.h and vectors.h).

#include "batch_normalization.h"

#include "vectors.h"

#ifdef __x86_64__
#include <immintrin.h>

namespace tfnodejs {
namespace normalization {

#define KERNEL __attribute__((target("avx512f,fma")))
#define INLINE_MEMBER inline __attribute__((always_inline)) KERNEL
#define INLINE static INLINE_MEMBER
namespace avx512 {
#include "avx512_vectors.h"
#include "batch_normalization_passes.h"
constexpr InstructionSet set = {Measure, Normalize, SumGradients, Differentiate};
}  // namespace avx512
#undef KERNEL
#undef FOR_STRIPS

#define KERNEL __attribute__((target("avx2,fma")))
namespace avx2 {
#include "avx2_vectors.h"
#include "batch_normalization_passes.h"
constexpr InstructionSet set = {Measure, Normalize, SumGradients, Differentiate};
}  // namespace avx2

const InstructionSet *ChosenInstructionSet() {
  if (ChosenVectors() == Vectors::kAvx512) return &avx512::set;
  return ChosenVectors() == Vectors::kAvx2 ? &avx2::set : nullptr;
}

}  // namespace normalization
}  // namespace tfnodejs

#else

const tfnodejs::normalization::InstructionSet *tfnodejs::normalization::ChosenInstructionSet() { return nullptr; }

#endif
