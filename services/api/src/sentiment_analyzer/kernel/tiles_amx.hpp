// Tiles of a linear layer on AMX, whose registers hold 16 rows of 64 bytes. Intel, Intrinsics Guide: AMX-INT8.
#pragma once

#include <immintrin.h>

#include "simd.hpp"

// The tile registers of this thread, configured while the object lives: 0 to 3 hold sums, 4 and 5 rows, 6 and 7 weights.
class Tiles {
 public:
  static constexpr int ROWS = 32, COLUMNS = 32;  // two registers each way

  Tiles() {
    struct {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t bytes[16] = {};
      uint8_t rows[16] = {};
    } config;
    for (int tile = 0; tile < 8; ++tile) config.bytes[tile] = BYTES, config.rows[tile] = HALF;
    asm volatile("" ::"r"(&config) : "memory");  // GCC's intrinsics do not tell it that they read memory
    _tile_loadconfig(&config);
  }
  ~Tiles() { _tile_release(); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

  // Writes the products of ROWS rows and COLUMNS outputs to out, int32 [ROWS, COLUMNS]. rows is [ROWS, inputs], weights
  // [inputs / DEPTH, COLUMNS, DEPTH]; inputs is a multiple of 64. Only the first `count` rows of out are valid.
  void products(const int8_t* weights, const Rounded* rows, size_t inputs, int count, int32_t* out) const {
    asm volatile("" ::: "memory");
    if (count > HALF) both(weights, rows, inputs, out);
    else upper(weights, rows, inputs, out);
  }

 private:
  static constexpr int HALF = 16, BYTES = 64;
  static constexpr size_t WIDE = sizeof(int32_t) * COLUMNS;  // the bytes of a row of sums; as many weights lie together

  static void both(const int8_t* weights, const Rounded* rows, size_t inputs, int32_t* out) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t k = 0; k < inputs; k += BYTES, weights += HALF * WIDE) {
      _tile_loadd(6, weights, WIDE);
      _tile_loadd(4, rows + k, inputs);
      _tile_loadd(7, weights + BYTES, WIDE);
      _tile_dpbusd(0, 4, 6);
      _tile_loadd(5, rows + HALF * inputs + k, inputs);
      _tile_dpbusd(1, 4, 7);
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
    }
    _tile_stored(0, out, WIDE);
    _tile_stored(1, out + HALF, WIDE);
    _tile_stored(2, out + HALF * COLUMNS, WIDE);
    _tile_stored(3, out + HALF * COLUMNS + HALF, WIDE);
  }

  static void upper(const int8_t* weights, const Rounded* rows, size_t inputs, int32_t* out) {
    _tile_zero(0);
    _tile_zero(1);
    for (size_t k = 0; k < inputs; k += BYTES, weights += HALF * WIDE) {
      _tile_loadd(6, weights, WIDE);
      _tile_loadd(7, weights + BYTES, WIDE);
      _tile_loadd(4, rows + k, inputs);
      _tile_dpbusd(0, 4, 6);
      _tile_dpbusd(1, 4, 7);
    }
    _tile_stored(0, out, WIDE);
    _tile_stored(1, out + HALF, WIDE);
  }
};
