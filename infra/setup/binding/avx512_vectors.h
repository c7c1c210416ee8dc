// Part of a file with kernels of ours, which includes it in a namespace of its own: vectors of AVX-512. Defined before:
// INLINE, how functions are declared.

using Vector = __m512;
constexpr int kLanes = 16;
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
/** x where v is greater than 0, else 0. */
INLINE Vector WherePositive(Vector v, Vector x) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_GT_OQ), x);
}
