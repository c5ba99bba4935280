// Attention of one head over one window: Vaswani et al. (2017), https://arxiv.org/abs/1706.03762.
// Queries and keys are rounded to 8 bits with a scale per token; weights and values stay float32.
#pragma once

#include <cstring>

#include "rows.hpp"

class Attention {
 public:
  // `query` points to the first row of this head's queries. The keys start dim floats later, the values 2 * dim; rows
  // are 3 * dim floats apart. Writes the attention output of the first `queries` tokens, float32 [queries, head_dim],
  // to out, whose rows are dim floats apart. head_dim is a multiple of 32 and at most 256.
  void apply(const float* query, int dim, int head_dim, int length, int queries, float* out) {
    const int stride = 3 * dim, width = (length + WHOLE - 1) / WHOLE * WHOLE;
    pack(query, dim, head_dim, length, width);
    float* scores = scores_.reserve(size_t(QUERIES) * width);
    for (int first = 0; first < queries; first += QUERIES) {
      // The last block may be incomplete: it repeats the last query.
      int rows[QUERIES];
      const float* weights[QUERIES];
      float *target[QUERIES], inverse[QUERIES];
      for (int i = 0; i < QUERIES; ++i) {
        rows[i] = std::min(first + i, queries - 1);
        weights[i] = scores + size_t(i) * width;
        target[i] = out + size_t(rows[i]) * dim;
      }
      for (int column = 0; column < width; column += COLUMNS) score(rows, head_dim, column, width, scores + column);
      for (int i = 0; i < QUERIES; ++i) {
        std::fill(scores + size_t(i) * width + length, scores + size_t(i + 1) * width, -INFINITY);
        inverse[i] = softmax(scores + size_t(i) * width, width);
      }
      for (int column = 0; column < head_dim; column += COLUMNS) {
        blend(weights, query + 2 * dim + column, stride, length, inverse, target);
        for (float*& row : target) row += COLUMNS;
      }
    }
  }

 private:
  static constexpr int COLUMNS = 2 * LANES;            // keys, or floats of the output, of one tile
  static constexpr int WHOLE = std::max(COLUMNS, 16);  // keys are padded to a multiple of this, as softmax requires

  void pack(const float* query, int dim, int head_dim, int length, int width) {
    Rounded* queries = queries_.reserve(size_t(head_dim) * length);
    int8_t* keys = keys_.reserve(size_t(head_dim) * width);
    float *query_scale = query_scale_.reserve(length), *key_scale = key_scale_.reserve(width);
    int32_t* excess = excess_.reserve(width);
    const float root = 1.f / std::sqrt(float(head_dim));
    alignas(64) Rounded key[256];
    alignas(64) int8_t weights[256];
    for (int row = 0; row < width; ++row) {
      if (row < length) {
        const float* values = query + size_t(row) * 3 * dim;
        query_scale[row] = quantize(values, head_dim, queries + size_t(row) * head_dim) * root;
        key_scale[row] = quantize(values + dim, head_dim, key);
      } else {
        key_scale[row] = 0.f;
        std::fill(key, key + head_dim, Rounded(MIDDLE));
      }
      for (int i = 0; i < head_dim; ++i) weights[i] = int8_t(int(key[i]) - MIDDLE);
      for (int i = 0; i < head_dim; i += DEPTH) std::memcpy(keys + size_t(i) * width + row * DEPTH, weights + i, DEPTH);
    }
    alignas(64) Rounded middle[DEPTH];  // what it adds to each sum
    std::fill(middle, middle + DEPTH, Rounded(MIDDLE));
    for (int column = 0; column < width; column += LANES) {
      Ints sums = all(0);
      for (int i = 0; i < head_dim; i += DEPTH)
        sums = dot(sums, load_rows(middle, middle), load_weights(keys + size_t(i) * width + column * DEPTH));
      store(excess + column, sums);
    }
  }

  // Writes the scores of QUERIES queries against COLUMNS keys, float32, rows `width` apart.
  void score(const int* rows, int head_dim, int column, int width, float* out) const {
    alignas(64) int32_t sums[QUERIES * COLUMNS];
    const Rounded* query[QUERIES];
    for (int i = 0; i < QUERIES; ++i) query[i] = queries_.get() + size_t(rows[i]) * head_dim;
    products(query, keys_.get() + column * DEPTH, size_t(width) * DEPTH, head_dim, sums);
    for (int i = 0; i < QUERIES; ++i)
      for (int j = 0; j < COLUMNS; j += LANES) {
        const Ints exact = subtract(load(sums + i * COLUMNS + j), load(excess_.get() + column + j));
        const Floats scale = multiply(all(query_scale_.get()[rows[i]]), load(key_scale_.get() + column + j));
        store(out + size_t(i) * width + j, multiply(to_floats(exact), scale));
      }
  }

  // Not inlined, so that the surrounding code does not spill the sums from registers.
  __attribute__((noinline)) static void products(const Rounded* const* query, const int8_t* keys, size_t stride,
                                                 int head_dim, int32_t* out) {
    constexpr int WIDTH = 2 * TOGETHER;  // registers of keys
    Ints sums[QUERIES / TOGETHER][WIDTH];
#pragma GCC unroll 12
    for (auto& row : sums)
#pragma GCC unroll 4
      for (int i = 0; i < WIDTH; ++i) row[i] = all(0);
    for (int k = 0; k < head_dim; k += DEPTH, keys += stride) {
      Ints key[WIDTH];
#pragma GCC unroll 4
      for (int i = 0; i < WIDTH; ++i) key[i] = load_weights(keys + i * DEPTH * LANES / TOGETHER);
#pragma GCC unroll 12
      for (int row = 0; row < QUERIES; row += TOGETHER) {
        const Ints values = load_rows(query[row] + k, query[row + TOGETHER - 1] + k);
#pragma GCC unroll 4
        for (int i = 0; i < WIDTH; ++i) sums[row / TOGETHER][i] = dot(sums[row / TOGETHER][i], values, key[i]);
      }
    }
#pragma GCC unroll 12
    for (int row = 0; row < QUERIES; row += TOGETHER, out += TOGETHER * COLUMNS)
#pragma GCC unroll 2
      for (int i = 0; i < 2; ++i)
        store_rows(out + i * LANES, out + (TOGETHER - 1) * COLUMNS + i * LANES, &sums[row / TOGETHER][i * TOGETHER]);
  }

  // Writes COLUMNS columns of the output of QUERIES queries: the values of all tokens, summed by their weights.
  __attribute__((noinline)) static void blend(const float* const* weights, const float* values, size_t stride, int length,
                                              const float* inverse, float* const* out) {
    Floats sums[QUERIES][2];
#pragma GCC unroll 12
    for (int i = 0; i < QUERIES; ++i) sums[i][0] = sums[i][1] = all(0.f);
    for (int token = 0; token < length; ++token, values += stride) {
      const Floats left = load(values), right = load(values + LANES);
#pragma GCC unroll 12
      for (int i = 0; i < QUERIES; ++i) {
        const Floats weight = all(weights[i][token]);
        sums[i][0] = multiply_add(weight, left, sums[i][0]);
        sums[i][1] = multiply_add(weight, right, sums[i][1]);
      }
    }
#pragma GCC unroll 12
    for (int i = 0; i < QUERIES; ++i) {
      const Floats scale = all(inverse[i]);
      store(out[i], multiply(sums[i][0], scale));
      store(out[i] + LANES, multiply(sums[i][1], scale));
    }
  }

  Buffer<Rounded> queries_;  // [length, head_dim]
  Buffer<int8_t> keys_;      // [head_dim / DEPTH][width][DEPTH]
  Buffer<int32_t> excess_;   // [width]: added to each sum by the queries' MIDDLE
  Buffer<float> query_scale_, key_scale_, scores_;
};
