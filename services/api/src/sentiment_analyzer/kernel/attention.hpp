// Attention of one head over one window: Vaswani et al. (2017), https://arxiv.org/abs/1706.03762.
// Queries and keys are rounded to 8 bits with a scale per token; weights and values stay float32.
#pragma once

#include <cstring>

#include "rows.hpp"

class Attention {
 public:
  // query is row 0 of this head's queries; keys lie dim behind it, values 2 * dim. Rows are 3 * dim apart.
  // Writes what the first `queries` tokens attend to, float32 [queries, head_dim], to out, rows dim apart. head_dim is a
  // multiple of 32 and at most 256.
  void apply(const float* query, int dim, int head_dim, int length, int queries, float* out) {
    const int stride = 3 * dim, width = (length + COLUMNS - 1) / COLUMNS * COLUMNS;
    pack(query, dim, head_dim, length, width);
    float* scores = scores_.reserve(size_t(QUERIES) * width);
    for (int first = 0; first < queries; first += QUERIES) {
      // A block that reaches beyond them computes the last one again.
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
  static constexpr int QUERIES = 12, COLUMNS = 32;  // 24 sums, as in a linear layer

  void pack(const float* query, int dim, int head_dim, int length, int width) {
    uint8_t* queries = queries_.reserve(size_t(head_dim) * length);
    int8_t* keys = keys_.reserve(size_t(head_dim) * width);
    float *query_scale = query_scale_.reserve(length), *key_scale = key_scale_.reserve(width);
    int32_t* excess = excess_.reserve(width);
    const float root = 1.f / std::sqrt(float(head_dim));
    alignas(64) uint8_t key[256];
    for (int row = 0; row < width; ++row) {
      if (row < length) {
        const float* values = query + size_t(row) * 3 * dim;
        query_scale[row] = quantize(values, head_dim, queries + size_t(row) * head_dim) * root;
        key_scale[row] = quantize(values + dim, head_dim, key);
      } else {
        key_scale[row] = 0.f;
        std::fill(key, key + head_dim, 128);
      }
      int sum = 0;
      for (int i = 0; i < head_dim; ++i) sum += int(key[i]) - 128;
      for (int i = 0; i < head_dim; ++i) key[i] ^= 128;  // signed again
      excess[row] = 128 * sum;
      for (int i = 0; i < head_dim; i += 4) std::memcpy(keys + size_t(i) * width + row * 4, key + i, 4);
    }
  }

  // Scores of QUERIES rows against COLUMNS keys, float32, rows width apart.
  void score(const int* rows, int head_dim, int column, int width, float* out) const {
    alignas(64) int32_t sums[QUERIES * COLUMNS];
    const uint8_t* query[QUERIES];
    for (int i = 0; i < QUERIES; ++i) query[i] = queries_.get() + size_t(rows[i]) * head_dim;
    multiply(query, keys_.get() + column * 4, size_t(width) * 4, head_dim, sums);
    for (int i = 0; i < QUERIES; ++i)
      for (int j = 0; j < COLUMNS; j += LANES) {
        const __m512i exact = _mm512_sub_epi32(_mm512_load_si512(sums + i * COLUMNS + j),
                                               _mm512_loadu_si512(excess_.get() + column + j));
        const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(query_scale_.get()[rows[i]]),
                                           _mm512_loadu_ps(key_scale_.get() + column + j));
        _mm512_storeu_ps(out + size_t(i) * width + j, _mm512_mul_ps(_mm512_cvtepi32_ps(exact), scale));
      }
  }

  // Apart, and not inlined: what surrounds them would push sums out of registers.
  __attribute__((noinline)) static void multiply(const uint8_t* const* query, const int8_t* keys, size_t stride,
                                                 int head_dim, int32_t* out) {
    __m512i sums[QUERIES][2];
#pragma GCC unroll 12
    for (int i = 0; i < QUERIES; ++i) sums[i][0] = sums[i][1] = _mm512_setzero_si512();
    for (int k = 0; k < head_dim; k += 4, keys += stride) {
      const __m512i left = _mm512_loadu_si512(keys), right = _mm512_loadu_si512(keys + 64);
#pragma GCC unroll 12
      for (int i = 0; i < QUERIES; ++i) {
        int32_t four;
        std::memcpy(&four, query[i] + k, 4);
        const __m512i bytes = _mm512_set1_epi32(four);
        sums[i][0] = _mm512_dpbusd_epi32(sums[i][0], bytes, left);
        sums[i][1] = _mm512_dpbusd_epi32(sums[i][1], bytes, right);
      }
    }
#pragma GCC unroll 12
    for (int i = 0; i < QUERIES; ++i) {
      _mm512_store_si512(out + i * COLUMNS, sums[i][0]);
      _mm512_store_si512(out + i * COLUMNS + LANES, sums[i][1]);
    }
  }

  // Sums of COLUMNS values of every token, weighted for each of QUERIES rows.
  __attribute__((noinline)) static void blend(const float* const* weights, const float* values, size_t stride, int length,
                                              const float* inverse, float* const* out) {
    __m512 sums[QUERIES][2];
#pragma GCC unroll 12
    for (int i = 0; i < QUERIES; ++i) sums[i][0] = sums[i][1] = _mm512_setzero_ps();
    for (int token = 0; token < length; ++token, values += stride) {
      const __m512 left = _mm512_loadu_ps(values), right = _mm512_loadu_ps(values + LANES);
#pragma GCC unroll 12
      for (int i = 0; i < QUERIES; ++i) {
        const __m512 weight = _mm512_set1_ps(weights[i][token]);
        sums[i][0] = _mm512_fmadd_ps(weight, left, sums[i][0]);
        sums[i][1] = _mm512_fmadd_ps(weight, right, sums[i][1]);
      }
    }
#pragma GCC unroll 12
    for (int i = 0; i < QUERIES; ++i) {
      const __m512 scale = _mm512_set1_ps(inverse[i]);
      _mm512_storeu_ps(out[i], _mm512_mul_ps(sums[i][0], scale));
      _mm512_storeu_ps(out[i] + LANES, _mm512_mul_ps(sums[i][1], scale));
    }
  }

  Buffer<uint8_t> queries_;  // [length, head_dim]
  Buffer<int8_t> keys_;      // [head_dim / 4][width][4]
  Buffer<int32_t> excess_;   // [width]: what the queries' middle of 128 adds
  Buffer<float> query_scale_, key_scale_, scores_;
};
