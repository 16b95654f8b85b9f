// How are weights multiplied in the format in which they are stored?
//
// y = x W^T for W [N, K] whose rows lie contiguous along K, as in a checkpoint file (which may be memory-mapped).
// Lanes run along K and every output sums in one order that depends on K alone: a row of x gives the same bits
// alone and among a thousand others, whatever the tile it is computed in.
#pragma once

#include <cstdint>

#ifndef FB_MATRIX_FORMATS
#define FB_MATRIX_FORMATS
namespace finback {

enum class Format : int { fp32 = 0, bf16 = 1, fp8 = 2, fp4 = 3, int8 = 4 };

// fp8: E4M3 bytes [N, K] with E8M0 scales [ceil(N/128), ceil(K/128)]; fp4: E2M1, two to a byte, the even column in
// the low half, [N, K/2] with E8M0 scales [N, K/32], K a multiple of 32; int8: [N, K] with FP32 scales [N], K at
// most 65536. fp32 and bf16 have no scale. A weight times its scale must be a normal number or zero (the loader sees
// to it: E8M0 bytes 10..246 for fp8, 2..252 for fp4, where a smaller scale counts as 2).
struct Matrix {
  Format format;
  int64_t N, K;
  const void* data;
  const void* scale;
};

// What x is rounded to before a product: nothing; BF16; E4M3 in groups of 128 with a power-of-two scale, as the
// official kernels do; INT8 with one scale for each row (only with int8 weights).
enum class Rounding : int { fp32 = 0, bf16 = 1, fp8 = 2, int8 = 3 };

}  // namespace finback
#endif

namespace FB_LEVEL {

// Rows x [T, K] after rounding, shared by all the products that read them. `space` must hold rounded_bytes(T, K)
// and is aligned to 64 bytes; with fp32, x itself is read and must stay.
struct Rows {
  finback::Rounding rounding;
  int64_t T, K;
  const void* data;    // FP32, BF16 or INT8 [T, K]; rounded E4M3 values are kept as BF16, which holds them exactly
  const float* scale;  // INT8: [T], what a row's integers are multiplied by
  const int32_t* sum;  // INT8: [T], the sum of a row's integers
};
int64_t rounded_bytes(finback::Rounding rounding, int64_t T, int64_t K);
Rows round_rows(const float* x, int64_t T, int64_t K, finback::Rounding rounding, void* space);

// y[t * stride + n] = sum_k x[t, k] W[n, k]. Shares its work among the pool's threads.
void multiply(const Rows& x, const finback::Matrix& w, float* y, int64_t stride);

// One thread's part: y[i * stride + n - first] for rows[i] of x (rows i if `rows` is null), i < count, and the rows
// first..end-1 of W. `first` is a multiple of PANEL.
constexpr int64_t PANEL = 32;
void product(const Rows& x, const int32_t* rows, int64_t count, const finback::Matrix& w, int64_t first, int64_t end, float* y,
             int64_t stride);

}  // namespace FB_LEVEL
