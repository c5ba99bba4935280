// What happens to one token's row, float32 [n], n a multiple of 16. No result depends on any other row.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>

constexpr int LANES = 16;  // float32 in a register

// Memory on cache lines that only grows; its contents are lost when it does.
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

// Rounds a row to 8 bits with a scale of its own: x = scale * (quantized - 128), quantized in [1, 255].
// Unsigned, because the processor multiplies unsigned by signed bytes. Returns the scale.
inline float quantize(const float* x, int n, uint8_t* quantized) {
  __m512 most = _mm512_setzero_ps();
  for (int i = 0; i < n; i += LANES) most = _mm512_max_ps(most, _mm512_abs_ps(_mm512_loadu_ps(x + i)));
  const float top = std::max(_mm512_reduce_max_ps(most), 1e-12f);
  const __m512 inverse = _mm512_set1_ps(127.f / top);
  const __m512i middle = _mm512_set1_epi32(128);
  for (int i = 0; i < n; i += LANES) {
    const __m512i rounded = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + i), inverse));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(quantized + i), _mm512_cvtepi32_epi8(_mm512_add_epi32(rounded, middle)));
  }
  return top / 127.f;
}

inline void add(float* x, const float* other, int n) {
  for (int i = 0; i < n; i += LANES)
    _mm512_storeu_ps(x + i, _mm512_add_ps(_mm512_loadu_ps(x + i), _mm512_loadu_ps(other + i)));
}

// Layer normalization: Ba et al. (2016), https://arxiv.org/abs/1607.06450.
inline void normalize(float* x, int n, const float* weight, const float* bias) {
  __m512 sum = _mm512_setzero_ps(), squares = _mm512_setzero_ps();
  for (int i = 0; i < n; i += LANES) sum = _mm512_add_ps(sum, _mm512_loadu_ps(x + i));
  const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / n);
  for (int i = 0; i < n; i += LANES) {
    const __m512 centred = _mm512_sub_ps(_mm512_loadu_ps(x + i), mean);
    squares = _mm512_fmadd_ps(centred, centred, squares);
  }
  const __m512 inverse = _mm512_set1_ps(1.f / std::sqrt(_mm512_reduce_add_ps(squares) / n + 1e-12f));
  for (int i = 0; i < n; i += LANES) {
    const __m512 unit = _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(x + i), mean), inverse);
    _mm512_storeu_ps(x + i, _mm512_fmadd_ps(unit, _mm512_loadu_ps(weight + i), _mm512_loadu_ps(bias + i)));
  }
}

// x * Phi(x): Hendrycks and Gimpel (2016), https://arxiv.org/abs/1606.08415. erf(x / sqrt 2) is an odd polynomial
// here, fitted for the least largest error of the product over [-4.25, 4.25] and flat beyond: at most 5e-5 off.
inline void gelu(float* x, int n) {
  constexpr float COEFFICIENTS[] = {0.797638416f,     -0.13238053f,    0.0194375366f,    -0.00215814891f, 0.000176977017f,
                                    -1.02948952e-05f, 3.97223772e-07f, -9.03034802e-09f, 9.09379932e-11f};
  const __m512 limit = _mm512_set1_ps(4.25f), half = _mm512_set1_ps(.5f);
  for (int i = 0; i < n; i += LANES) {
    const __m512 value = _mm512_loadu_ps(x + i), halved = _mm512_mul_ps(value, half);
    const __m512 clipped = _mm512_max_ps(_mm512_min_ps(value, limit), _mm512_sub_ps(_mm512_setzero_ps(), limit));
    const __m512 square = _mm512_mul_ps(clipped, clipped);
    __m512 polynomial = _mm512_set1_ps(COEFFICIENTS[8]);
    for (int power = 7; power >= 0; --power)
      polynomial = _mm512_fmadd_ps(polynomial, square, _mm512_set1_ps(COEFFICIENTS[power]));
    _mm512_storeu_ps(x + i, _mm512_fmadd_ps(halved, _mm512_mul_ps(clipped, polynomial), halved));
  }
}

// e^x for x <= 0: 2^n times the Taylor polynomial of 2^f, |f| <= 1/2; relative error at most 3e-6, 0 far below.
inline __m512 exponential(__m512 x) {
  constexpr float COEFFICIENTS[] = {1.f, 0.693147182f, 0.240226507f, 0.0555041087f, 0.00961812911f, 0.00133335581f};
  const __m512 scaled = _mm512_max_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _mm512_set1_ps(-150.f));
  const __m512 whole = _mm512_roundscale_ps(scaled, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 rest = _mm512_sub_ps(scaled, whole);
  __m512 polynomial = _mm512_set1_ps(COEFFICIENTS[5]);
  for (int power = 4; power >= 0; --power)
    polynomial = _mm512_fmadd_ps(polynomial, rest, _mm512_set1_ps(COEFFICIENTS[power]));
  return _mm512_scalef_ps(polynomial, whole);
}

// Turns scores into weights that are still to be divided by their sum. Returns 1 / sum.
inline float softmax(float* scores, int n) {
  __m512 most = _mm512_loadu_ps(scores);
  for (int i = LANES; i < n; i += LANES) most = _mm512_max_ps(most, _mm512_loadu_ps(scores + i));
  const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(most));
  __m512 sum = _mm512_setzero_ps();
  for (int i = 0; i < n; i += LANES) {
    const __m512 weight = exponential(_mm512_sub_ps(_mm512_loadu_ps(scores + i), top));
    sum = _mm512_add_ps(sum, weight);
    _mm512_storeu_ps(scores + i, weight);
  }
  return 1.f / _mm512_reduce_add_ps(sum);
}
