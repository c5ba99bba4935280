// The vector instructions of the processor that is compiled for.
#pragma once

#ifdef __AVX512VNNI__
#include "simd_avx512.hpp"
#else
#include "simd_avx2.hpp"
#endif
