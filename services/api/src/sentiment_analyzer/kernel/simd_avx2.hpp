// The vector operations of the kernel in AVX2 with FMA.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

using Floats = __m256;
using Ints = __m256i;
constexpr int LANES = 8;  // float32 or int32 in a register

// The byte product would saturate its 16-bit sums. The product of 16-bit integers is exact and adds two to each sum. So
// rows are rounded to [-127, 127] in 16 bits, and weights are widened when they are loaded.
using Rounded = int16_t;
constexpr int MIDDLE = 0;    // the rounded value of zero
constexpr int DEPTH = 2;     // values of a row that one int32 lane multiplies
constexpr int TOGETHER = 1;  // rows that dot multiplies at once

constexpr int ROWS = 6, REGISTERS = 2;  // of weights for 6 rows: 12 sums, 2 weights and 1 value fit the 16 registers
constexpr int QUERIES = 6;              // for 2 registers of keys: 12 sums too

inline Ints dot(Ints sums, Ints row, Ints weights) { return _mm256_add_epi32(sums, _mm256_madd_epi16(row, weights)); }
inline Ints load_weights(const int8_t* x) {  // DEPTH * LANES weights
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
}

inline Ints load(const int32_t* x) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)); }
inline void store(int32_t* x, Ints values) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(x), values); }
inline Ints all(int32_t value) { return _mm256_set1_epi32(value); }
inline Ints subtract(Ints a, Ints b) { return _mm256_sub_epi32(a, b); }
inline Ints load_rows(const Rounded* first, const Rounded*) {  // DEPTH values, repeated
  int32_t values;
  std::memcpy(&values, first, 4);
  return all(values);
}
inline void store_rows(int32_t* first, int32_t*, const Ints* sums) { store(first, *sums); }  // LANES sums
inline Floats to_floats(Ints x) { return _mm256_cvtepi32_ps(x); }

inline Floats load(const float* x) { return _mm256_loadu_ps(x); }
inline Floats load_halves(const uint16_t* x) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
}
inline void store(float* x, Floats values) { _mm256_storeu_ps(x, values); }
inline Floats all(float value) { return _mm256_set1_ps(value); }
inline Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
inline Floats subtract(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
inline Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
inline Floats larger(Floats a, Floats b) { return _mm256_max_ps(a, b); }
inline Floats smaller(Floats a, Floats b) { return _mm256_min_ps(a, b); }
inline Floats absolute(Floats x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.f), x); }
inline Floats nearest(Floats x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Floats times_power_of_two(Floats x, Floats exponent) {  // exponent: an integer up to 127; the result is 0 from -127 down
  const Ints biased = _mm256_cvtps_epi32(add(larger(exponent, all(-127.f)), all(127.f)));
  return multiply(x, _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)));
}
inline float sum(Floats x) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}
inline float largest(Floats x) {
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}

// Writes LANES values, rounded to nearest. They must be in [-127, 127].
inline void round_to(Rounded* out, Floats x) {
  const Ints rounded = _mm256_cvtps_epi32(x);
  const __m128i packed = _mm_packs_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), packed);
}
