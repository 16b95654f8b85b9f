// stand-in
#include "moe.h"
#include <algorithm>
#include <vector>
#include "simd.h"
namespace FB_LEVEL {
void experts(const float* x, int64_t T, int64_t D, int64_t inner, const int64_t* ids, const float* weights, int64_t k, const finback::Matrix* w1,
             const finback::Matrix* w2, const finback::Matrix* w3, int64_t E, float limit, finback::Rounding rounding, float* y) {
  std::fill(y, y + T * D, 0.0f);
  for (int64_t e = 0; e <= E; ++e) {
    std::vector<int64_t> rows;
    std::vector<float> scale, in;
    for (int64_t t = 0; t < T; ++t) {
      if (e == E) { rows.push_back(t); scale.push_back(1.0f); }
      else for (int64_t i = 0; i < k; ++i) if (ids[t * k + i] == e) { rows.push_back(t); scale.push_back(weights[t * k + i]); }
    }
    const int64_t R = int64_t(rows.size());
    if (!R) continue;
    for (int64_t t : rows) in.insert(in.end(), x + t * D, x + (t + 1) * D);
    std::vector<float> a(R * inner), b(R * inner), out(R * D);
    std::vector<char> space(rounded_bytes(rounding, R, std::max(D, inner)) + 64);
    void* aligned = space.data() + (64 - uintptr_t(space.data()) % 64) % 64;
    Rows r = round_rows(in.data(), R, D, rounding, aligned);
    multiply(r, w1[e], a.data(), inner);
    multiply(r, w3[e], b.data(), inner);
    for (int64_t i = 0; i < R; ++i)
      for (int64_t j = 0; j < inner; ++j) {
        const float g = std::min(a[i * inner + j], limit), u = std::min(std::max(b[i * inner + j], -limit), limit);
        a[i * inner + j] = silu(splat(g))[0] * u * scale[i];
      }
    r = round_rows(a.data(), R, inner, rounding, aligned);
    multiply(r, w2[e], out.data(), D);
    for (int64_t i = 0; i < R; ++i)
      for (int64_t d = 0; d < D; ++d) y[rows[i] * D + d] += out[i * D + d];
  }
}
}
