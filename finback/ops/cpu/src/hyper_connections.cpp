// How are the residual streams read? (report 2.2) One pass over a token's streams does everything.
#include <cmath>
#include <vector>

#include "kernels.h"
#include "simd.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

constexpr int MAX_STREAMS = 8;

float dot(const float* a, const float* b, int64_t n) {
  F s0{}, s1{};
  int64_t i = 0;
  for (; i + 2 * W <= n; i += 2 * W) {
    s0 = fma(load(a + i), load(b + i), s0);
    s1 = fma(load(a + i + W), load(b + i + W), s1);
  }
  for (; i + W <= n; i += W) s0 = fma(load(a + i), load(b + i), s0);
  if (i < n) s1 = fma(load(a + i, int(n - i)), load(b + i, int(n - i)), s1);
  return sum(s0 + s1);
}

float sigmoid1(float x) { return 1.0f / (1.0f + std::exp(-x)); }

}  // namespace

// `comb` [n, n] of one token, from logits to nearly doubly stochastic, in place; entry [j, k] at j * n + k.
void sinkhorn_token(float* comb, int n, int iters, float eps) {
  for (int j = 0; j < n; ++j) {
    float* row = comb + j * n;
    float top = row[0], total = 0.0f;
    for (int k = 1; k < n; ++k) top = row[k] > top ? row[k] : top;
    for (int k = 0; k < n; ++k) total += row[k] = std::exp(row[k] - top);
    for (int k = 0; k < n; ++k) row[k] = row[k] / total + eps;
  }
  for (int i = 0;; ++i) {
    for (int k = 0; k < n; ++k) {
      float total = eps;
      for (int j = 0; j < n; ++j) total += comb[j * n + k];
      for (int j = 0; j < n; ++j) comb[j * n + k] /= total;
    }
    if (i == iters - 1) break;
    for (int j = 0; j < n; ++j) {
      float total = eps;
      for (int k = 0; k < n; ++k) total += comb[j * n + k];
      for (int k = 0; k < n; ++k) comb[j * n + k] /= total;
    }
  }
}

void hc_pre(const float* h, const float* fn, const float* scale, const float* base, int64_t T, int n, int64_t D, int iters,
            float eps, float norm_eps, float* x, float* post, float* comb) {
  const int64_t width = n * D;
  finback::parallel_rows(T, 4, [&](int64_t first, int64_t end) {
    float logits[(2 + MAX_STREAMS) * MAX_STREAMS];
    for (int64_t t = first; t < end; ++t) {
      const float* v = h + t * width;
      const float norm = 1.0f / std::sqrt(dot(v, v, width) / float(width) + norm_eps);
      const int rows = (2 + n) * n;
      for (int r = 0; r < rows; ++r) logits[r] = dot(fn + r * width, v, width) * norm * scale[r < n ? 0 : r < 2 * n ? 1 : 2] + base[r];
      for (int j = 0; j < n; ++j) {
        logits[j] = sigmoid1(logits[j]) + eps;
        post[j * T + t] = 2.0f * sigmoid1(logits[n + j]);
      }
      sinkhorn_token(logits + 2 * n, n, iters, eps);
      for (int i = 0; i < n * n; ++i) comb[i * T + t] = logits[2 * n + i];
      int64_t d = 0;
      for (; d + W <= D; d += W) {
        F acc{};
        for (int j = 0; j < n; ++j) acc = fma(splat(logits[j]), load(v + j * D + d), acc);
        store(x + t * D + d, acc);
      }
      for (; d < D; ++d) {
        float acc = 0.0f;
        for (int j = 0; j < n; ++j) acc += logits[j] * v[j * D + d];
        x[t * D + d] = acc;
      }
    }
  });
}

}  // namespace FB_LEVEL
