// stand-in
#pragma once
#include "matrix.h"
namespace FB_LEVEL {
void experts(const float* x, int64_t T, int64_t D, int64_t inner, const int64_t* ids, const float* weights, int64_t k, const finback::Matrix* w1,
             const finback::Matrix* w2, const finback::Matrix* w3, int64_t E, float limit, finback::Rounding rounding, float* y);
}
