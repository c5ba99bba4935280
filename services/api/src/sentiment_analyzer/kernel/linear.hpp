// A linear layer: int8 weights with a scale per output, 8-bit rows with a scale per row, products exact in int32.
#pragma once

#include <cstring>

#include "rows.hpp"

constexpr int PANEL = 64;  // outputs that are computed together
constexpr int ROWS = 6;    // by so many rows: 24 sums, 4 weights and 1 row's bytes fit the 32 registers

class Linear {
 public:
  // weight is int8 [outputs, inputs]; outputs a multiple of PANEL, inputs of LANES. scale and bias must outlive it.
  Linear(const int8_t* weight, const float* scale, const float* bias, int inputs, int outputs)
      : inputs_(inputs), outputs_(outputs), scale_(scale), bias_(bias) {
    int8_t* packed = panels_.reserve(size_t(inputs) * outputs);
    for (int panel = 0; panel < outputs; panel += PANEL)
      for (int k = 0; k < inputs; k += 4)
        for (int output = panel; output < panel + PANEL; ++output, packed += 4)
          std::memcpy(packed, weight + size_t(output) * inputs + k, 4);
    int32_t* excess = excess_.reserve(outputs);
    for (int output = 0; output < outputs; ++output) {
      int sum = 0;
      for (int k = 0; k < inputs; ++k) sum += weight[size_t(output) * inputs + k];
      excess[output] = 128 * sum;  // what the rows' middle of 128 adds
    }
  }

  // rows is [count, inputs], out [count, outputs]; all three have room for count rounded up to a multiple of ROWS.
  void apply(const uint8_t* rows, const float* row_scale, int count, float* out) const {
    alignas(64) int32_t sums[ROWS * PANEL];
    for (int panel = 0; panel < outputs_; panel += PANEL)
      for (int first = 0; first < count; first += ROWS) {
        multiply(panels_.get() + size_t(panel) * inputs_, rows + size_t(first) * inputs_, inputs_, sums);
        for (int row = 0; row < ROWS; ++row)
          for (int i = 0; i < PANEL; i += LANES) {
            const __m512i exact = _mm512_sub_epi32(_mm512_load_si512(sums + row * PANEL + i),
                                                   _mm512_load_si512(excess_.get() + panel + i));
            const __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(exact), _mm512_set1_ps(row_scale[first + row]));
            _mm512_storeu_ps(out + size_t(first + row) * outputs_ + panel + i,
                             _mm512_fmadd_ps(scaled, _mm512_loadu_ps(scale_ + panel + i), _mm512_loadu_ps(bias_ + panel + i)));
          }
      }
  }

 private:
  // Apart, and not inlined: what surrounds it would push sums out of registers.
  __attribute__((noinline)) static void multiply(const int8_t* weights, const uint8_t* rows, size_t inputs, int32_t* out) {
    __m512i sums[ROWS][4];
#pragma GCC unroll 6
    for (int row = 0; row < ROWS; ++row)
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) sums[row][i] = _mm512_setzero_si512();
    for (size_t k = 0; k < inputs; k += 4, weights += 4 * PANEL) {
      __m512i weight[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) weight[i] = _mm512_load_si512(weights + 64 * i);
#pragma GCC unroll 6
      for (int row = 0; row < ROWS; ++row) {
        int32_t four;
        std::memcpy(&four, rows + row * inputs + k, 4);
        const __m512i bytes = _mm512_set1_epi32(four);
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) sums[row][i] = _mm512_dpbusd_epi32(sums[row][i], bytes, weight[i]);
      }
    }
#pragma GCC unroll 6
    for (int row = 0; row < ROWS; ++row)
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) _mm512_store_si512(out + row * PANEL + i * LANES, sums[row][i]);
  }

  int inputs_, outputs_;
  const float *scale_, *bias_;
  Buffer<int8_t> panels_;  // [outputs / PANEL][inputs / 4][PANEL][4]
  Buffer<int32_t> excess_;
};
