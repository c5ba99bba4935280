// A linear layer: int8 weights with a scale per output, 8-bit rows with a scale per row, exact int32 products.
#pragma once

#include <cstring>

#include "rows.hpp"
#if defined(__AMX_INT8__)
#include "tiles_amx.hpp"
#else
#include "tiles_simd.hpp"
#endif

class Linear {
 public:
  // weight is int8 [outputs, inputs] and is copied; outputs is a multiple of Tiles::COLUMNS, inputs of 64. scale and bias
  // must outlive the layer.
  Linear(const int8_t* weight, const float* scale, const float* bias, int inputs, int outputs)
      : inputs_(inputs), outputs_(outputs), scale_(scale), bias_(bias) {
    int8_t* packed = panels_.reserve(size_t(inputs) * outputs);
    for (int panel = 0; panel < outputs; panel += Tiles::COLUMNS)
      for (int k = 0; k < inputs; k += DEPTH)
        for (int output = panel; output < panel + Tiles::COLUMNS; ++output, packed += DEPTH)
          std::memcpy(packed, weight + size_t(output) * inputs + k, DEPTH);
    int32_t* excess = excess_.reserve(outputs);
    for (int output = 0; output < outputs; ++output) {
      int sum = 0;
      for (int k = 0; k < inputs; ++k) sum += weight[size_t(output) * inputs + k];
      excess[output] = MIDDLE * sum;  // added to each sum by the rows' MIDDLE
    }
  }

  // rows is [count, inputs], row_scale [count], out [count, outputs]. rows must have room for count rounded up to a
  // multiple of Tiles::ROWS.
  void apply(const Rounded* rows, const float* row_scale, int count, float* out) const {
    const Tiles tiles;
    alignas(64) int32_t sums[Tiles::ROWS * Tiles::COLUMNS];
    for (int panel = 0; panel < outputs_; panel += Tiles::COLUMNS)
      for (int first = 0; first < count; first += Tiles::ROWS) {
        const int left = std::min(Tiles::ROWS, count - first);
        tiles.products(panels_.get() + size_t(panel) * inputs_, rows + size_t(first) * inputs_, inputs_, left, sums);
        for (int row = 0; row < left; ++row)
          for (int i = 0; i < Tiles::COLUMNS; i += LANES) {
            const Ints exact = subtract(load(sums + row * Tiles::COLUMNS + i), load(excess_.get() + panel + i));
            const Floats scaled = multiply(to_floats(exact), all(row_scale[first + row]));
            store(out + size_t(first + row) * outputs_ + panel + i,
                  multiply_add(scaled, load(scale_ + panel + i), load(bias_ + panel + i)));
          }
      }
  }

 private:
  int inputs_, outputs_;
  const float *scale_, *bias_;
  Buffer<int8_t> panels_;  // [outputs / COLUMNS][inputs / DEPTH][COLUMNS][DEPTH], of Tiles
  Buffer<int32_t> excess_;
};
