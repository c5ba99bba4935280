// Operations on the row of one token, float32 [n], n a multiple of 16. No result depends on another row.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "simd.hpp"

// Memory aligned to cache lines. reserve() may enlarge it, which loses its contents, and never shrinks it.
template <class T>
class Buffer {
 public:
  T* reserve(size_t count) {
    if (count > size_) {
      memory_.reset(static_cast<T*>(std::aligned_alloc(64, (count * sizeof(T) + 63) / 64 * 64)));
      size_ = count;
    }
    return memory_.get();
  }
  const T* get() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  std::unique_ptr<T, Free> memory_;
  size_t size_ = 0;
};

// Quantizes a row to 8 bits with its own scale: x = scale * (rounded - MIDDLE). Returns the scale.
inline float quantize(const float* x, int n, Rounded* rounded) {
  Floats most = all(0.f);
  for (int i = 0; i < n; i += LANES) most = larger(most, absolute(load(x + i)));
  const float top = std::max(largest(most), 1e-12f);
  const Floats inverse = all(127.f / top);
  for (int i = 0; i < n; i += LANES) round_to(rounded + i, multiply(load(x + i), inverse));
  return top / 127.f;
}

inline void add(float* x, const float* other, int n) {
  for (int i = 0; i < n; i += LANES) store(x + i, add(load(x + i), load(other + i)));
}

// Sums n values in 16 partial sums, as many as one register of AVX-512 holds: other processors keep them in several
// registers. So all of them add in the same order, and no sum differs in its last bit, which quantization amplifies.
// accumulate(sums, i) adds the values from i to i + LANES to their partial sums.
template <class Accumulate>
__attribute__((always_inline)) inline float total(int n, Accumulate accumulate) {
  constexpr int PARTS = 16 / LANES;
  Floats sums[PARTS];
  for (Floats& part : sums) part = all(0.f);
  for (int i = 0; i < n; i += 16)
    for (int part = 0; part < PARTS; ++part) sums[part] = accumulate(sums[part], i + part * LANES);
  for (int half = PARTS / 2; half > 0; half /= 2)
    for (int part = 0; part < half; ++part) sums[part] = add(sums[part], sums[part + half]);
  return sum(sums[0]);
}

// Layer normalization: Ba et al. (2016), https://arxiv.org/abs/1607.06450.
inline void normalize(float* x, int n, const float* weight, const float* bias) {
  const Floats mean = all(total(n, [&](Floats sums, int i) { return add(sums, load(x + i)); }) / n);
  const float squares = total(n, [&](Floats sums, int i) {
    const Floats centred = subtract(load(x + i), mean);
    return multiply_add(centred, centred, sums);
  });
  const Floats inverse = all(1.f / std::sqrt(squares / n + 1e-12f));
  for (int i = 0; i < n; i += LANES) {
    const Floats unit = multiply(subtract(load(x + i), mean), inverse);
    store(x + i, multiply_add(unit, load(weight + i), load(bias + i)));
  }
}

// x * Phi(x): Hendrycks and Gimpel (2016), https://arxiv.org/abs/1606.08415. erf(x / sqrt 2) is approximated by an odd
// polynomial, a minimax fit of the product over [-4.25, 4.25], and by a constant beyond. The error is at most 5e-5.
inline void gelu(float* x, int n) {
  constexpr float COEFFICIENTS[] = {0.797638416f,     -0.13238053f,    0.0194375366f,    -0.00215814891f, 0.000176977017f,
                                    -1.02948952e-05f, 3.97223772e-07f, -9.03034802e-09f, 9.09379932e-11f};
  const Floats limit = all(4.25f), half = all(.5f);
  for (int i = 0; i < n; i += LANES) {
    const Floats value = load(x + i), halved = multiply(value, half);
    const Floats clipped = larger(smaller(value, limit), subtract(all(0.f), limit));
    const Floats square = multiply(clipped, clipped);
    Floats polynomial = all(COEFFICIENTS[8]);
    for (int power = 7; power >= 0; --power) polynomial = multiply_add(polynomial, square, all(COEFFICIENTS[power]));
    store(x + i, multiply_add(halved, multiply(clipped, polynomial), halved));
  }
}

// e^x for x <= 0, as 2^n times the Taylor polynomial of 2^f, |f| <= 1/2. The relative error is at most 3e-6. The result
// is at least about 2^-100: it takes the processor a hundred cycles to compute a number that is too small for float32.
inline Floats exponential(Floats x) {
  constexpr float COEFFICIENTS[] = {1.f, 0.693147182f, 0.240226507f, 0.0555041087f, 0.00961812911f, 0.00133335581f};
  const Floats scaled = larger(multiply(x, all(1.44269504f)), all(-100.f));
  const Floats whole = nearest(scaled), rest = subtract(scaled, whole);
  Floats polynomial = all(COEFFICIENTS[5]);
  for (int power = 4; power >= 0; --power) polynomial = multiply_add(polynomial, rest, all(COEFFICIENTS[power]));
  return times_power_of_two(polynomial, whole);
}

// Replaces scores by weights that are not yet divided by their sum. Returns 1 / sum.
inline float softmax(float* scores, int n) {
  Floats most = load(scores);
  for (int i = LANES; i < n; i += LANES) most = larger(most, load(scores + i));
  const Floats top = all(largest(most));
  return 1.f / total(n, [&](Floats sums, int i) {
    const Floats weight = exponential(subtract(load(scores + i), top));
    store(scores + i, weight);
    return add(sums, weight);
  });
}
