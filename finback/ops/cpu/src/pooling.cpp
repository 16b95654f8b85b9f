// How are windows pooled into entries while they train, and what are the gradients? (report 2.3) `ops.pool_windows`.
//
// Each row and channel belongs to one entry at most: that of its own window, or with overlap, in the first half of the
// channels, that of the next window.
#include <algorithm>

#include "kernels.h"
#include "scratch.h"
#include "simd.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

// The rows that entry i pools for channels d .. d+W-1: element j at (first + j) * channels + shift(j) + d.
struct Windows {
  int64_t k, ratio, c, channels, rows;  // rows of an entry
  bool overlap;

  Windows(int64_t k, int64_t ratio, int64_t c, bool overlap)
      : k(k), ratio(ratio), c(c), channels(overlap ? 2 * c : c), rows(overlap ? 2 * ratio : ratio), overlap(overlap) {}
  int64_t at(int64_t i, int64_t j) const { return (i * ratio + j) * channels + (overlap && j >= ratio ? c : 0); }
};

// For channels d.. of entry i: weights[j] = exp(z_j - top); returns their sum.
template <class... Lanes>
F weigh(const Windows& w, const float* z, int64_t i, int64_t d, F* weights, Lanes... lanes) {
  F top = load(z + w.at(i, 0) + d, lanes...), total{};
  for (int64_t j = 1; j < w.rows; ++j) top = max(top, load(z + w.at(i, j) + d, lanes...));
  for (int64_t j = 0; j < w.rows; ++j) {
    weights[j] = exp(load(z + w.at(i, j) + d, lanes...) - top);
    total = total + weights[j];
  }
  return total;
}

// f(entry, first channel, room for its weights, lanes...) for all entries, W channels at a time.
template <class Body>
void each(const Windows& w, const Body& f) {
  finback::parallel_rows(w.k, std::max<int64_t>(1, 4096 / (w.rows * w.c)), [&](int64_t first, int64_t end) {
    F* weights = reinterpret_cast<F*>(scratch(BLOCK_SLOT, w.rows * int64_t(sizeof(F))));
    for (int64_t i = first; i < end; ++i) {
      int64_t d = 0;
      for (; d + W <= w.c; d += W) f(i, d, weights);
      if (d < w.c) f(i, d, weights, int(w.c - d));
    }
  });
}

}  // namespace

void pool_windows(const float* u, const float* z, int64_t k, int64_t ratio, int64_t c, bool overlap, float* out) {
  const Windows w(k, ratio, c, overlap);
  each(w, [&](int64_t i, int64_t d, F* weights, auto... lanes) {
    const F total = weigh(w, z, i, d, weights, lanes...);
    F sum{};
    for (int64_t j = 0; j < w.rows; ++j) sum = fma(weights[j], load(u + w.at(i, j) + d, lanes...), sum);
    store(out + i * c + d, sum / total, lanes...);
  });
}

void pool_windows_backward(const float* u, const float* z, const float* out, const float* grad, int64_t k, int64_t ratio, int64_t c,
                           bool overlap, float* du, float* dz) {
  const Windows w(k, ratio, c, overlap);
  if (overlap)  // no entry reads the second half of the first window's channels, nor the first half of the last one's
    for (float* x : {du, dz})
      for (int64_t j = 0; j < ratio; ++j) {
        std::fill_n(x + j * w.channels + c, c, 0.0f);
        std::fill_n(x + (k * ratio + j) * w.channels, c, 0.0f);
      }
  each(w, [&](int64_t i, int64_t d, F* weights, auto... lanes) {
    const F total = weigh(w, z, i, d, weights, lanes...);
    const F gain = load(grad + i * c + d, lanes...) / total, mean = load(out + i * c + d, lanes...);
    for (int64_t j = 0; j < w.rows; ++j) {
      const int64_t at = w.at(i, j) + d;
      const F slope = weights[j] * gain;
      store(du + at, slope, lanes...);
      store(dz + at, slope * (load(u + at, lanes...) - mean), lanes...);
    }
  });
}

}  // namespace FB_LEVEL
