// The operations of the kernel on one value at a time. This is the reference that tests compare the others with; the
// service never runs it.
#pragma once

#include <cmath>
#include <cstdint>

using Floats = float;
using Ints = int32_t;
constexpr int LANES = 1;

using Rounded = int8_t;      // in [-127, 127]
constexpr int MIDDLE = 0;    // the rounded value of zero
constexpr int DEPTH = 1;     // values of a row that one int32 lane multiplies
constexpr int TOGETHER = 1;  // rows that dot multiplies at once

constexpr int ROWS = 1, REGISTERS = 1, QUERIES = 1;

inline Ints dot(Ints sum, Ints value, Ints weight) { return sum + value * weight; }
inline Ints load_weights(const int8_t* x) { return *x; }
inline Ints load_rows(const Rounded* first, const Rounded*) { return *first; }
inline void store_rows(int32_t* first, int32_t*, const Ints* sums) { *first = *sums; }

inline Ints load(const int32_t* x) { return *x; }
inline void store(int32_t* x, Ints value) { *x = value; }
inline Ints all(int32_t value) { return value; }
inline Ints subtract(Ints a, Ints b) { return a - b; }
inline Floats to_floats(Ints x) { return float(x); }

inline Floats load(const float* x) { return *x; }
inline Floats load_halves(const uint16_t* x) {
  const int exponent = *x >> 10 & 31, fraction = *x & 1023;
  float size = exponent ? std::ldexp(1024.f + fraction, exponent - 25) : std::ldexp(float(fraction), -24);
  if (exponent == 31) size = fraction ? NAN : INFINITY;
  return *x >> 15 ? -size : size;
}
inline void store(float* x, Floats value) { *x = value; }
inline Floats all(float value) { return value; }
inline Floats add(Floats a, Floats b) { return a + b; }
inline Floats subtract(Floats a, Floats b) { return a - b; }
inline Floats multiply(Floats a, Floats b) { return a * b; }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return std::fma(a, b, c); }
inline Floats larger(Floats a, Floats b) { return a > b ? a : b; }
inline Floats smaller(Floats a, Floats b) { return a < b ? a : b; }
inline Floats absolute(Floats x) { return std::fabs(x); }
inline Floats nearest(Floats x) { return std::nearbyint(x); }
inline Floats times_power_of_two(Floats x, Floats exponent) { return std::ldexp(x, int(exponent)); }
inline float sum(Floats x) { return x; }
inline float largest(Floats x) { return x; }

// Writes a value, rounded to nearest. It must be in [-127, 127].
inline void round_to(Rounded* out, Floats x) { *out = Rounded(std::lrint(x)); }
