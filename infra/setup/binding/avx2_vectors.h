// Part of a file with kernels of ours, which includes it in a namespace of its own: vectors of AVX2. Defined before:
// INLINE, how functions are declared.

using Vector = __m256;
constexpr int kLanes = 8;
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
/** x where v is greater than 0, else 0. */
INLINE Vector WherePositive(Vector v, Vector x) {
  return _mm256_and_ps(_mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GT_OQ), x);
}
