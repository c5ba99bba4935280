// A linear layer: int8 weights with a scale per output, 8-bit rows with a scale per row, exact int32 products.
#pragma once

#include <cstring>

#include "rows.hpp"

constexpr int PANEL = REGISTERS * LANES;  // outputs of one tile, which has ROWS rows

class Linear {
 public:
  // weight is int8 [outputs, inputs] and is copied; outputs is a multiple of PANEL, inputs of LANES. scale and bias
  // must outlive the layer.
  Linear(const int8_t* weight, const float* scale, const float* bias, int inputs, int outputs)
      : inputs_(inputs), outputs_(outputs), scale_(scale), bias_(bias) {
    int8_t* packed = panels_.reserve(size_t(inputs) * outputs);
    for (int panel = 0; panel < outputs; panel += PANEL)
      for (int k = 0; k < inputs; k += DEPTH)
        for (int output = panel; output < panel + PANEL; ++output, packed += DEPTH)
          std::memcpy(packed, weight + size_t(output) * inputs + k, DEPTH);
    int32_t* excess = excess_.reserve(outputs);
    for (int output = 0; output < outputs; ++output) {
      int sum = 0;
      for (int k = 0; k < inputs; ++k) sum += weight[size_t(output) * inputs + k];
      excess[output] = MIDDLE * sum;  // added to each sum by the rows' MIDDLE
    }
  }

  // rows is [count, inputs], row_scale [count], out [count, outputs]. All three must have room for count rounded up to
  // a multiple of ROWS.
  void apply(const Rounded* rows, const float* row_scale, int count, float* out) const {
    alignas(64) int32_t sums[ROWS * PANEL];
    for (int panel = 0; panel < outputs_; panel += PANEL)
      for (int first = 0; first < count; first += ROWS) {
        products(panels_.get() + size_t(panel) * inputs_, rows + size_t(first) * inputs_, inputs_, sums);
        for (int row = 0; row < ROWS; ++row)
          for (int i = 0; i < PANEL; i += LANES) {
            const Ints exact = subtract(load(sums + row * PANEL + i), load(excess_.get() + panel + i));
            const Floats scaled = multiply(to_floats(exact), all(row_scale[first + row]));
            store(out + size_t(first + row) * outputs_ + panel + i,
                  multiply_add(scaled, load(scale_ + panel + i), load(bias_ + panel + i)));
          }
      }
  }

 private:
  // Not inlined, so that the surrounding code does not spill the sums from registers.
  __attribute__((noinline)) static void products(const int8_t* weights, const Rounded* rows, size_t inputs, int32_t* out) {
    constexpr int WIDTH = REGISTERS * TOGETHER;  // registers of weights
    Ints sums[ROWS / TOGETHER][WIDTH];
#pragma GCC unroll 12
    for (auto& row : sums)
#pragma GCC unroll 4
      for (int i = 0; i < WIDTH; ++i) row[i] = all(0);
    for (size_t k = 0; k < inputs; k += DEPTH, weights += DEPTH * PANEL) {
      Ints weight[WIDTH];
#pragma GCC unroll 4
      for (int i = 0; i < WIDTH; ++i) weight[i] = load_weights(weights + i * DEPTH * LANES / TOGETHER);
#pragma GCC unroll 12
      for (int row = 0; row < ROWS; row += TOGETHER) {
        const Ints values = load_rows(rows + row * inputs + k, rows + (row + TOGETHER - 1) * inputs + k);
#pragma GCC unroll 4
        for (int i = 0; i < WIDTH; ++i) sums[row / TOGETHER][i] = dot(sums[row / TOGETHER][i], values, weight[i]);
      }
    }
#pragma GCC unroll 12
    for (int row = 0; row < ROWS; row += TOGETHER, out += TOGETHER * PANEL)
#pragma GCC unroll 4
      for (int i = 0; i < REGISTERS; ++i)
        store_rows(out + i * LANES, out + (TOGETHER - 1) * PANEL + i * LANES, &sums[row / TOGETHER][i * TOGETHER]);
  }

  int inputs_, outputs_;
  const float *scale_, *bias_;
  Buffer<int8_t> panels_;  // [outputs / PANEL][inputs / DEPTH][PANEL][DEPTH]
  Buffer<int32_t> excess_;
};
