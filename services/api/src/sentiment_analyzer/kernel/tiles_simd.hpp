// Tiles of a linear layer in vector registers.
#pragma once

#include "simd.hpp"

class Tiles {
 public:
  static constexpr int ROWS = ::ROWS, COLUMNS = REGISTERS * LANES;

  // Writes the products of ROWS rows and COLUMNS outputs to out, int32 [ROWS, COLUMNS]. rows is [ROWS, inputs], weights
  // [inputs / DEPTH, COLUMNS, DEPTH]. Not inlined, so that the surrounding code does not spill the sums from registers.
  __attribute__((noinline)) void products(const int8_t* weights, const Rounded* rows, size_t inputs, int, int32_t* out) const {
    constexpr int WIDTH = REGISTERS * TOGETHER;  // registers of weights
    Ints sums[ROWS / TOGETHER][WIDTH];
#pragma GCC unroll 12
    for (auto& row : sums)
#pragma GCC unroll 4
      for (int i = 0; i < WIDTH; ++i) row[i] = all(0);
    for (size_t k = 0; k < inputs; k += DEPTH, weights += DEPTH * COLUMNS) {
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
    for (int row = 0; row < ROWS; row += TOGETHER, out += TOGETHER * COLUMNS)
#pragma GCC unroll 4
      for (int i = 0; i < REGISTERS; ++i)
        store_rows(out + i * LANES, out + (TOGETHER - 1) * COLUMNS + i * LANES, &sums[row / TOGETHER][i * TOGETHER]);
  }
};
