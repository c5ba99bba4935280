// The vector operations of the kernel in AVX-512 with VNNI.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

using Floats = __m512;
using Ints = __m512i;
constexpr int LANES = 16;  // float32 or int32 in a register

// VNNI multiplies unsigned by signed bytes and adds four products to each sum. So rows are rounded to [1, 255].
using Rounded = uint8_t;
constexpr int MIDDLE = 128;  // the rounded value of zero
constexpr int DEPTH = 4;     // values of a row that one int32 lane multiplies
constexpr int TOGETHER = 1;  // rows that dot multiplies at once

constexpr int ROWS = 6, REGISTERS = 4;  // of weights for 6 rows: 24 sums, 4 weights and 1 value fit the 32 registers
constexpr int QUERIES = 12;             // for 2 registers of keys: 24 sums too

inline Ints dot(Ints sums, Ints row, Ints weights) { return _mm512_dpbusd_epi32(sums, row, weights); }
inline Ints load_weights(const int8_t* x) { return _mm512_loadu_si512(x); }  // DEPTH * LANES weights

inline Ints load(const int32_t* x) { return _mm512_loadu_si512(x); }
inline void store(int32_t* x, Ints values) { _mm512_storeu_si512(x, values); }
inline Ints all(int32_t value) { return _mm512_set1_epi32(value); }
inline Ints subtract(Ints a, Ints b) { return _mm512_sub_epi32(a, b); }
inline Ints load_rows(const Rounded* first, const Rounded*) {  // DEPTH values, repeated
  int32_t values;
  std::memcpy(&values, first, 4);
  return all(values);
}
inline void store_rows(int32_t* first, int32_t*, const Ints* sums) { store(first, *sums); }  // LANES sums
inline Floats to_floats(Ints x) { return _mm512_cvtepi32_ps(x); }

inline Floats load(const float* x) { return _mm512_loadu_ps(x); }
inline Floats load_halves(const uint16_t* x) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
}
inline void store(float* x, Floats values) { _mm512_storeu_ps(x, values); }
inline Floats all(float value) { return _mm512_set1_ps(value); }
inline Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
inline Floats subtract(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
inline Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
inline Floats larger(Floats a, Floats b) { return _mm512_max_ps(a, b); }
inline Floats smaller(Floats a, Floats b) { return _mm512_min_ps(a, b); }
inline Floats absolute(Floats x) { return _mm512_abs_ps(x); }
inline Floats nearest(Floats x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Floats times_power_of_two(Floats x, Floats exponent) { return _mm512_scalef_ps(x, exponent); }
inline float sum(Floats x) { return _mm512_reduce_add_ps(x); }
inline float largest(Floats x) { return _mm512_reduce_max_ps(x); }

// Writes LANES values, rounded to nearest. They must be in [-127, 127].
inline void round_to(Rounded* out, Floats x) {
  const Ints rounded = _mm512_add_epi32(_mm512_cvtps_epi32(x), _mm512_set1_epi32(MIDDLE));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_cvtepi32_epi8(rounded));
}
