// The vector instructions of the target processor.
//
// Each header has the same operations, and the constants that the tiles of the kernel depend on. An operation rounds as
// IEEE 754 says and multiply_add rounds once, so every processor computes the same bits.
#pragma once

#if defined(__AVX512VNNI__)
#include "simd_avx512.hpp"
#elif defined(__AVX2__)
#include "simd_avx2.hpp"
#elif defined(__ARM_FEATURE_DOTPROD)
#include "simd_neon.hpp"
#else
#include "simd_scalar.hpp"
#endif
