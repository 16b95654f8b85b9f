// What do a token's experts add up to?
#pragma once

#include "matrix.h"

namespace FB_LEVEL {

// y[t] = sum over the experts of token t in ascending order, the shared one last, of
// w2 (silu(min(w1 x, limit)) * clamp(w3 x, +-limit) * weight), as ops.reference.experts plus ops.reference.swiglu.
// x, y: [T, D]; ids, weights: [T, k], ids in 0..E-1; w1, w2, w3: [E + 1], the shared expert last, which weighs 1.
// `rounding`: of x and of the middle, before products. A token's bits do not depend on the others or on the threads.
void experts(const float* x, int64_t T, int64_t D, int64_t inner, const int64_t* ids, const float* weights, int64_t k,
             const finback::Matrix* w1, const finback::Matrix* w2, const finback::Matrix* w3, int64_t E, float limit,
             finback::Rounding rounding, float* y);

}  // namespace FB_LEVEL
