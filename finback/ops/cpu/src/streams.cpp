// How are the residual streams written? (report 2.2) X' = B X + C F(A X), and its gradients in one pass.
#include "kernels.h"
#include "rows.h"
#include "sinkhorn.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

template <int N, class E>
void write(const E* x, const E* residual, const float* post, const float* comb, int64_t T, int64_t D, E* out) {
  const bool past = past_caches(out, T * N * D, D);
  finback::parallel_rows(T, 16, [&](int64_t first, int64_t end) {
    for (int64_t t = first; t < end; ++t) {
      float p[N], b[N * N];
      for (int k = 0; k < N; ++k) p[k] = post[k * T + t];
      for (int i = 0; i < N * N; ++i) b[i] = comb[i * T + t];
      const auto step = [&](int64_t d, int lanes) {
        F old[N];
        for (int j = 0; j < N; ++j) old[j] = some(residual + (t * N + j) * D + d, lanes);
        const F added = some(x + t * D + d, lanes);
        for (int k = 0; k < N; ++k) {
          F sum = splat(p[k]) * added;
          for (int j = 0; j < N; ++j) sum = fma(splat(b[j * N + k]), old[j], sum);
          store_some(out + (t * N + k) * D + d, sum, lanes, past);
        }
      };
      int64_t d = 0;
      for (; d + W <= D; d += W) step(d, W);
      if (d < D) step(d, int(D - d));
    }
    if (past) fence();
  });
}

template <int N, class E>
void write_back(const E* x, const E* residual, const float* post, const float* comb, const E* g, int64_t T, int64_t D, E* dx,
                E* dresidual, float* dpost, float* dcomb) {
  const bool past = past_caches(dresidual, T * N * D, D);
  finback::parallel_rows(T, 16, [&](int64_t first, int64_t end) {
    for (int64_t t = first; t < end; ++t) {
      float p[N], b[N * N];
      for (int k = 0; k < N; ++k) p[k] = post[k * T + t];
      for (int i = 0; i < N * N; ++i) b[i] = comb[i * T + t];
      constexpr int SUMS = (N * N + N + W - 1) / W * W;
      F s[SUMS] = {};  // of comb's gradient [j, k], then of post's
      const auto step = [&](int64_t d, int lanes) {
        F grad[N], dxv{};
        const F added = some(x + t * D + d, lanes);
#pragma GCC unroll 8
        for (int k = 0; k < N; ++k) {
          grad[k] = some(g + (t * N + k) * D + d, lanes);
          s[N * N + k] = fma(added, grad[k], s[N * N + k]);
          dxv = fma(splat(p[k]), grad[k], dxv);
        }
        store_some(dx + t * D + d, dxv, lanes);
#pragma GCC unroll 8
        for (int j = 0; j < N; ++j) {
          const F old = some(residual + (t * N + j) * D + d, lanes);
          F back{};
#pragma GCC unroll 8
          for (int k = 0; k < N; ++k) {
            s[j * N + k] = fma(old, grad[k], s[j * N + k]);
            back = fma(splat(b[j * N + k]), grad[k], back);
          }
          store_some(dresidual + (t * N + j) * D + d, back, lanes, past);
        }
      };
      int64_t d = 0;
      for (; d + W <= D; d += W) step(d, W);
      if (d < D) step(d, int(D - d));
      float total[SUMS];
      for (int i = 0; i < SUMS; i += W) store(total + i, sums(s + i));
      for (int i = 0; i < N * N; ++i) dcomb[i * T + t] = total[i];
      for (int k = 0; k < N; ++k) dpost[k * T + t] = total[N * N + k];
    }
    if (past) fence();
  });
}

}  // namespace

void hc_post(const void* x, const void* residual, bool bf16, const float* post, const float* comb, int64_t T, int n, int64_t D,
             void* out) {
  with_type(bf16, [&](auto e) {
    with_streams(n, [&](auto N) { write<N>(as(e, x), as(e, residual), post, comb, T, D, as(e, out)); });
  });
}

void hc_post_back(const void* x, const void* residual, bool bf16, const float* post, const float* comb, const void* g, int64_t T, int n,
                  int64_t D, void* dx, void* dresidual, float* dpost, float* dcomb) {
  with_type(bf16, [&](auto e) {
    with_streams(n, [&](auto N) {
      write_back<N>(as(e, x), as(e, residual), post, comb, as(e, g), T, D, as(e, dx), as(e, dresidual), dpost, dcomb);
    });
  });
}

}  // namespace FB_LEVEL
