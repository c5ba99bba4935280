// The vector operations of the kernel in NEON with the dot product, or with the matrix product (i8mm).
#pragma once

#include <arm_neon.h>

#include <cstdint>
#include <cstring>

using Floats = float32x4_t;
using Ints = int32x4_t;
constexpr int LANES = 4;  // float32 or int32 in a register

// Both multiply signed bytes. So rows are rounded to [-127, 127].
using Rounded = int8_t;
constexpr int MIDDLE = 0;  // the rounded value of zero

inline Ints load(const int32_t* x) { return vld1q_s32(x); }
inline void store(int32_t* x, Ints values) { vst1q_s32(x, values); }
inline Ints all(int32_t value) { return vdupq_n_s32(value); }
inline Ints subtract(Ints a, Ints b) { return vsubq_s32(a, b); }
inline Floats to_floats(Ints x) { return vcvtq_f32_s32(x); }
inline Ints load_weights(const int8_t* x) { return vreinterpretq_s32_s8(vld1q_s8(x)); }  // DEPTH * LANES / TOGETHER weights

#ifdef __ARM_FEATURE_MATMUL_INT8
// A register has 8 values of each of 2 rows, or 8 weights of each of 2 outputs. Their product is a matrix of 2 by 2 sums.
constexpr int DEPTH = 8;     // values of a row that one int32 lane multiplies
constexpr int TOGETHER = 2;  // rows that dot multiplies at once

constexpr int ROWS = 8, REGISTERS = 2;  // 16 sums, 4 registers of weights and 4 of values fit the 32 registers
constexpr int QUERIES = 8;              // 16 sums and 4 registers of keys too

inline Ints dot(Ints sums, Ints rows, Ints weights) {
  return vmmlaq_s32(sums, vreinterpretq_s8_s32(rows), vreinterpretq_s8_s32(weights));
}
inline Ints load_rows(const Rounded* first, const Rounded* last) {  // DEPTH values of each
  return vreinterpretq_s32_s8(vcombine_s8(vld1_s8(first), vld1_s8(last)));
}
inline void store_rows(int32_t* first, int32_t* last, const Ints* sums) {  // LANES sums of each, from two matrices
  store(first, vcombine_s32(vget_low_s32(sums[0]), vget_low_s32(sums[1])));
  store(last, vcombine_s32(vget_high_s32(sums[0]), vget_high_s32(sums[1])));
}
#else
constexpr int DEPTH = 4;     // values of a row that one int32 lane multiplies
constexpr int TOGETHER = 1;  // rows that dot multiplies at once

constexpr int ROWS = 6, REGISTERS = 4;  // of weights for 6 rows: 24 sums, 4 weights and 1 value fit the 32 registers
constexpr int QUERIES = 8;              // for 2 registers of keys: 16 sums; GCC loads all queries before it multiplies

inline Ints dot(Ints sums, Ints row, Ints weights) {
  return vdotq_s32(sums, vreinterpretq_s8_s32(row), vreinterpretq_s8_s32(weights));
}
inline Ints load_rows(const Rounded* first, const Rounded*) {  // DEPTH values, repeated
  int32_t values;
  std::memcpy(&values, first, 4);
  return all(values);
}
inline void store_rows(int32_t* first, int32_t*, const Ints* sums) { store(first, *sums); }  // LANES sums
#endif

inline Floats load(const float* x) { return vld1q_f32(x); }
inline Floats load_halves(const uint16_t* x) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(x))); }
inline void store(float* x, Floats values) { vst1q_f32(x, values); }
inline Floats all(float value) { return vdupq_n_f32(value); }
inline Floats add(Floats a, Floats b) { return vaddq_f32(a, b); }
inline Floats subtract(Floats a, Floats b) { return vsubq_f32(a, b); }
inline Floats multiply(Floats a, Floats b) { return vmulq_f32(a, b); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return vfmaq_f32(c, a, b); }
inline Floats larger(Floats a, Floats b) { return vmaxq_f32(a, b); }
inline Floats smaller(Floats a, Floats b) { return vminq_f32(a, b); }
inline Floats absolute(Floats x) { return vabsq_f32(x); }
inline Floats nearest(Floats x) { return vrndnq_f32(x); }
inline Floats times_power_of_two(Floats x, Floats exponent) {  // exponent: an integer up to 127; the result is 0 from -127 down
  const Ints biased = vcvtq_s32_f32(add(larger(exponent, all(-127.f)), all(127.f)));
  return multiply(x, vreinterpretq_f32_s32(vshlq_n_s32(biased, 23)));
}
inline float sum(Floats x) {  // not vaddvq_f32, which adds neighbours first
  const float32x2_t two = vadd_f32(vget_low_f32(x), vget_high_f32(x));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
inline float largest(Floats x) { return vmaxvq_f32(x); }

// Writes LANES values, rounded to nearest. They must be in [-127, 127].
inline void round_to(Rounded* out, Floats x) {
  const int16x4_t rounded = vmovn_s32(vcvtnq_s32_f32(x));
  const int32x2_t packed = vreinterpret_s32_s8(vmovn_s16(vcombine_s16(rounded, rounded)));
  const int32_t values = vget_lane_s32(packed, 0);
  std::memcpy(out, &values, 4);
}
