// The vector instructions of the target processor.
#pragma once

#ifdef __AVX512VNNI__
#include "simd_avx512.hpp"
#else
#include "simd_avx2.hpp"
#endif
