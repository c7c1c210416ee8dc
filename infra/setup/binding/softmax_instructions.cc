// Compiled into TensorFlow's binding: the softmax's tiles for each instruction set, of which the processor chooses as it
// runs (see softmax_expectation.h).

#include "softmax_expectation.h"

#include <cfloat>
#include <cstring>

#ifdef __x86_64__
#include <immintrin.h>

namespace tfnodejs {
namespace softmax {

#define KERNEL __attribute__((target("avx512f,fma")))
#define INLINE static inline __attribute__((always_inline)) KERNEL
namespace avx512 {
using Vector = __m512;
constexpr int kLanes = 16, kRows = 8, kVectors = 3, kKeyRows = 12, kKeyVectors = 2;
INLINE Vector Load(const float *from) { return _mm512_loadu_ps(from); }
INLINE void Store(float *to, Vector x) { _mm512_storeu_ps(to, x); }
INLINE Vector Every(float x) { return _mm512_set1_ps(x); }
INLINE Vector Sum(Vector x, Vector y) { return _mm512_add_ps(x, y); }
INLINE Vector Difference(Vector x, Vector y) { return _mm512_sub_ps(x, y); }
INLINE Vector Product(Vector x, Vector y) { return _mm512_mul_ps(x, y); }
INLINE Vector MultiplyAdd(Vector x, Vector y, Vector z) { return _mm512_fmadd_ps(x, y, z); }
/** y where one is not a number. */
INLINE Vector Larger(Vector x, Vector y) { return _mm512_max_ps(x, y); }
INLINE Vector LowBitsAsExponent(Vector x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(x), 23)); }
#include "softmax_tiles.h"
constexpr InstructionSet set = {"avx512", LayOut, Forward, Backward, AddUp};
}  // namespace avx512
#undef KERNEL
#undef INLINE

#define KERNEL __attribute__((target("avx2,fma")))
#define INLINE static inline __attribute__((always_inline)) KERNEL
namespace avx2 {
using Vector = __m256;
constexpr int kLanes = 8, kRows = 4, kVectors = 3, kKeyRows = 6, kKeyVectors = 2;
INLINE Vector Load(const float *from) { return _mm256_loadu_ps(from); }
INLINE void Store(float *to, Vector x) { _mm256_storeu_ps(to, x); }
INLINE Vector Every(float x) { return _mm256_set1_ps(x); }
INLINE Vector Sum(Vector x, Vector y) { return _mm256_add_ps(x, y); }
INLINE Vector Difference(Vector x, Vector y) { return _mm256_sub_ps(x, y); }
INLINE Vector Product(Vector x, Vector y) { return _mm256_mul_ps(x, y); }
INLINE Vector MultiplyAdd(Vector x, Vector y, Vector z) { return _mm256_fmadd_ps(x, y, z); }
/** y where one is not a number. */
INLINE Vector Larger(Vector x, Vector y) { return _mm256_max_ps(x, y); }
INLINE Vector LowBitsAsExponent(Vector x) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(x), 23)); }
#include "softmax_tiles.h"
constexpr InstructionSet set = {"avx2", LayOut, Forward, Backward, AddUp};
}  // namespace avx2
#undef KERNEL
#undef INLINE

namespace {

const InstructionSet *Choose() {
  const char *asked = std::getenv("TEMPEH_VECTORS");
  const auto allows = [&](const char *name) { return asked == nullptr || strcmp(asked, name) == 0; };
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f") && allows("avx512")) return &avx512::set;
  return avx2 && allows("avx2") ? &avx2::set : nullptr;
}

}  // namespace

const InstructionSet *ChosenInstructionSet() {
  static const InstructionSet *const chosen = Choose();
  return chosen;
}

}  // namespace softmax
}  // namespace tfnodejs

#else

const tfnodejs::softmax::InstructionSet *tfnodejs::softmax::ChosenInstructionSet() { return nullptr; }

#endif
