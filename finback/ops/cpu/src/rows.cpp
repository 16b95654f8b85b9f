// What do RMSNorm and RoPE compute on rows of a training batch, and what are their gradients?
#include "kernels.h"
#include "rows.h"
#include "scratch.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

template <class E>
void norm(const E* x, const float* w, int64_t rows, int64_t n, float eps, E* y, float* factors) {
  const bool past = past_caches(y, rows * n, n);
  finback::parallel_rows(rows, 1 + (1 << 14) / (n + 1), [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i) factors[i] = rms_norm(x + i * n, w, n, eps, 1.0f, y + i * n, past);
    if (past) fence();
  });
}

// y = f w x, f = 1 / rms(x): dx = f (w g - x f^2 mean(w g x)), and dw sums f g x over the rows.
template <class E>
void norm_back(const E* x, const float* w, const float* factors, const E* g, int64_t rows, int64_t n, E* dx, float* dw) {
  const int64_t length = part_rows(rows), parts = (rows + length - 1) / length;
  const bool past = past_caches(dx, rows * n, n);
  float* sums = w ? reinterpret_cast<float*>(scratch(OUT_SLOT, 4 * parts * n)) : nullptr;
  finback::parallel(parts, [&](int64_t p) {
    const int64_t first = p * length, end = first + length < rows ? first + length : rows;
    float* total = w ? sums + p * n : nullptr;
    for (int64_t i = first; i < end; ++i) {
      const E *xi = x + i * n, *gi = g + i * n;
      F dots{};
      const auto weighted = [&](int64_t d, int lanes) {
        return w ? some(gi + d, lanes) * some(w + d, lanes) : some(gi + d, lanes);
      };
      int64_t d = 0;
      for (; d + W <= n; d += W) dots = fma(weighted(d, W), load(xi + d), dots);
      if (d < n) dots = fma(weighted(d, int(n - d)), load(xi + d, int(n - d)), dots);
      const float f = factors[i], along = sum(dots) / float(n) * f * f;
      const auto step = [&](int64_t d, int lanes) {
        const F v = some(xi + d, lanes);
        store_some(dx + i * n + d, (weighted(d, lanes) - v * along) * f, lanes, past);
        if (w) {
          const F before = i == first ? F{} : some(total + d, lanes);
          store_some(total + d, fma(some(gi + d, lanes), v * f, before), lanes);
        }
      };
      for (d = 0; d + W <= n; d += W) step(d, W);
      if (d < n) step(d, int(n - d));
    }
    if (past) fence();
  });
  if (w) add_parts(sums, parts, n, n, dw);
}

template <int... lane>
inline F swap_pairs(F v, std::integer_sequence<int, lane...>) {
  return __builtin_shufflevector(v, v, (lane ^ 1)...);
}

template <class E>
void turn(const E* x, const float* cos, const float* sin, int64_t T, int64_t inner, int64_t c, int64_t r, float direction, E* y) {
  const bool past = past_caches(y, T * inner * c, c) && (c - 2 * r) * sizeof(E) % 64 == 0;
  finback::parallel_rows(T, 1 + (1 << 14) / (inner * c + 1), [&](int64_t first, int64_t end) {
    float* even = reinterpret_cast<float*>(scratch(MIDDLE_SLOT, 4 * 4 * r));  // each channel's own factor
    float* other = even + 2 * r;                                              // and its neighbour's
    for (int64_t t = first; t < end; ++t) {
      for (int64_t i = 0; i < r; ++i) {
        const float s = direction * sin[t * r + i];
        even[2 * i] = even[2 * i + 1] = cos[t * r + i];
        other[2 * i] = -s, other[2 * i + 1] = s;
      }
      for (int64_t row = t * inner; row < (t + 1) * inner; ++row) {
        const E* from = x + row * c;
        E* to = y + row * c;
        if (past)
          for (int64_t d = 0; d < c - 2 * r; d += W) store_past(to + d, load(from + d));
        else std::memcpy(to, from, sizeof(E) * (c - 2 * r));
        from += c - 2 * r, to += c - 2 * r;
        const auto step = [&](int64_t d, int lanes) {
          const F v = some(from + d, lanes), turned = swap_pairs(v, std::make_integer_sequence<int, W>());
          store_some(to + d, v * some(even + d, lanes) + turned * some(other + d, lanes), lanes, past);
        };
        int64_t d = 0;
        for (; d + W <= 2 * r; d += W) step(d, W);
        if (d < 2 * r) step(d, int(2 * r - d));
      }
    }
    if (past) fence();
  });
}

}  // namespace

void norm_rows(const void* x, bool bf16, const float* w, int64_t rows, int64_t n, float eps, void* y, float* factors) {
  with_type(bf16, [&](auto e) { norm(as(e, x), w, rows, n, eps, as(e, y), factors); });
}

void norm_rows_back(const void* x, bool bf16, const float* w, const float* factors, const void* g, int64_t rows, int64_t n, void* dx,
                    float* dw) {
  with_type(bf16, [&](auto e) { norm_back(as(e, x), w, factors, as(e, g), rows, n, as(e, dx), dw); });
}

void turn_rows(const void* x, bool bf16, const float* cos, const float* sin, int64_t T, int64_t inner, int64_t c, int64_t r,
               float direction, void* y) {
  with_type(bf16, [&](auto e) { turn(as(e, x), cos, sin, T, inner, c, r, direction, as(e, y)); });
}

}  // namespace FB_LEVEL
