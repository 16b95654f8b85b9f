// How does attention multiply small matrices while it trains? In tiles that stay in registers, on packed rows.
//
// A chunk of keys lies there twice: as rows, whose channels are lanes, and turned into panels, whose keys are lanes.
// So no product adds up lanes: each result is one chain of fused additions over channels, keys or queries in ascending
// order, the same chain whatever the tile, the panel or the company of its query.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "rows.h"
#include "scratch.h"

namespace FB_LEVEL {
namespace {

constexpr int TALL = W == 16 ? 8 : 4;  // rows of a tile: they share loaded lanes
constexpr int64_t WIDE = 2 * W;        // lanes of a tile, and keys of a panel

constexpr int64_t CHUNK = 128;  // entries or index keys that are read at a time
constexpr int64_t ROWS = 256;   // pairs of a query and a head in a block: they and a chunk stay in the second cache
constexpr int64_t MOST = 64;    // queries in a block
constexpr int64_t GROUPS = 16;  // at most so many partial sums of keys' gradients

// Queries in a block, and in a group of blocks with a partial sum of its own.
inline int64_t block_of(int64_t H) { return std::clamp<int64_t>(ROWS / H, 1, MOST); }
inline int64_t group_of(int64_t T, int64_t block) {
  const int64_t least = (T + GROUPS - 1) / GROUPS;
  return std::max(2 * block, (least + block - 1) / block * block);
}

inline int64_t up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Floats from one packed row to the next: an odd number of cache lines, so that the same channels of many rows do
// not compete for a few sets of the first cache.
inline int64_t pitch(int64_t channels) { return ((channels + 15) / 16 | 1) * 16; }

// Shares out this thread's buffer: each pointer gets so many floats, undefined ones.
inline void carve(Slot slot, std::initializer_list<std::pair<float**, int64_t>> parts) {
  int64_t bytes = 0;
  for (const auto& [pointer, floats] : parts) bytes += align64(4 * floats);
  char* at = scratch(slot, bytes);
  for (const auto& [pointer, floats] : parts) {
    *pointer = reinterpret_cast<float*>(at);
    at += align64(4 * floats);
  }
}

// f(i) for i = 0, W, .. < n; the last one with the number of lanes if it is not W.
template <class Body>
inline void by_lanes(int64_t n, const Body& f) {
  int64_t i = 0;
  for (; i + W <= n; i += W) f(i);
  if (i < n) f(i, int(n - i));
}

// One row of c channels as floats, times `scale`; zeros up to a multiple of W.
template <class E>
inline void unpack(const E* from, int64_t c, float scale, float* to) {
  by_lanes(c, [&](int64_t d, auto... lanes) { store(to + d, load(from + d, lanes...) * scale); });
}

template <int half, int... lane>
inline void swap_halves(F& a, F& b, std::integer_sequence<int, lane...>) {
  const F low = __builtin_shufflevector(a, b, (lane & half ? W + lane - half : lane)...);
  b = __builtin_shufflevector(a, b, (lane & half ? W + lane : lane + half)...);
  a = low;
}

// Lane j of vector i and lane i of vector j change places.
template <int half = W / 2>
inline void transpose(F* v) {
  if constexpr (half > 0) {
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i)
      if (!(i & half)) swap_halves<half>(v[i], v[i + half], std::make_integer_sequence<int, W>());
    transpose<half / 2>(v);
  }
}

// Keys 0..n-1 of c channels: rows [n, pitch(c)] and panels [n / WIDE, up(c, W), WIDE].
struct Keys {
  float *rows, *panels;
  int64_t n;

  static int64_t panel_floats(int64_t n, int64_t c) { return up(n, WIDE) * up(c, W); }

  // Fills the panels from the rows.
  void turn(int64_t c) const {
    const int64_t step = pitch(c), size = up(c, W) * WIDE;
    for (int64_t k = 0; k < n; k += W)
      for (int64_t d = 0; d < c; d += W) {
        F v[W] = {};
        for (int i = 0; i < W && k + i < n; ++i) v[i] = load(rows + (k + i) * step + d);
        transpose(v);
        float* to = panels + k / WIDE * size + d * WIDE + k % WIDE;
        for (int i = 0; i < W; ++i) store(to + i * WIDE, v[i]);
      }
  }
};

struct Reach {
  int64_t begin, end;  // the keys of a chunk that a query reads
};

// acc[r][v] += sum_i a[r * row + i * next] b[i * step + v * W ..], i < n. Three pointers reach the rows of a tile with the
// scaled indices that addresses have; one pointer, or one for each row, takes more registers than there are.
template <int R, int V>
inline void accumulate(const float* a, int64_t row, int64_t next, const float* b, int64_t step, int64_t n, F (&acc)[R][V]) {
  const float *a3 = a + 3 * row, *a6 = a + 6 * row;
  for (int64_t i = 0; i < n; ++i, a += next, a3 += next, a6 += next, b += step) {
    F x[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) x[v] = load(b + v * W);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const F s = splat(r < 3 ? a[r * row] : r < 6 ? a3[(r - 3) * row] : a6[(r - 6) * row]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) acc[r][v] = fma(s, x[v], acc[r][v]);
    }
  }
}

template <int R, class Body>
inline void last_rows(int64_t n, int64_t r, const Body& f) {
  if constexpr (R > 0) {
    if (n == R) f.template operator()<R>(r);
    else last_rows<R - 1>(n, r, f);
  }
}

// Calls f<R>(first row) for groups of at most TALL of the rows.
template <class Body>
inline void by_rows(int64_t rows, const Body& f) {
  int64_t r = 0;
  for (; r + TALL <= rows; r += TALL) f.template operator()<TALL>(r);
  last_rows<TALL - 1>(rows - r, r, f);
}

// out[row, k] = a_row . key_k for the keys k in the query's reach; what lies beside them in `out` is overwritten.
// A query has H rows; a: [queries * H, pitch(c)], out: [queries * H, step], step at least up(n, WIDE).
inline void score(const float* a, int64_t queries, int64_t H, int64_t c, const Keys& keys, const Reach* reach, float* out, int64_t step) {
  const int64_t pitch_a = pitch(c), size = up(c, W) * WIDE;
  for (int64_t k = 0; k < keys.n; k += WIDE) {
    const float* panel = keys.panels + k / WIDE * size;
    for (int64_t i = 0; i < queries; ++i) {
      if (reach[i].begin >= std::min(reach[i].end, k + WIDE) || reach[i].end <= k) continue;
      const bool left = reach[i].begin < k + W, right = reach[i].end > k + W;
      const auto tile = [&]<int R, int V>(int64_t h, int64_t at) {
        F acc[R][V] = {};
        accumulate(a + (i * H + h) * pitch_a, pitch_a, 1, panel + at, WIDE, c, acc);
        for (int r = 0; r < R; ++r)
          for (int v = 0; v < V; ++v) store(out + (i * H + h + r) * step + k + at + v * W, acc[r][v]);
      };
      by_rows(H, [&]<int R>(int64_t h) {
        if (left && right) tile.template operator()<R, 2>(h, 0);
        else tile.template operator()<R, 1>(h, left ? 0 : W);
      });
    }
  }
}

// put(row, d, sum over the query's reach of p[row, k] key_k[d .. d+W-1]). p: [queries * H, step].
template <class Put>
inline void mix(const float* p, int64_t step, int64_t queries, int64_t H, int64_t c, const Keys& keys, const Reach* reach, const Put& put) {
  const int64_t width = up(c, W);
  const auto part = [&]<int V>(int64_t d) {
    for (int64_t i = 0; i < queries; ++i)
      by_rows(H, [&]<int R>(int64_t h) {
        F acc[R][V] = {};
        const int64_t row = i * H + h, begin = reach[i].begin;
        accumulate(p + row * step + begin, step, 1, keys.rows + begin * pitch(c) + d, pitch(c), reach[i].end - begin, acc);
        for (int r = 0; r < R; ++r)
          for (int v = 0; v < V; ++v) put(row + r, d + v * W, acc[r][v]);
      });
  };
  int64_t d = 0;
  for (; d + WIDE <= width; d += WIDE) part.template operator()<2>(d);
  if (d < width) part.template operator()<1>(d);
}

// put(k, d, sum over rows of sum_j p_j[row, k] x_j[row, d .. d+W-1]) for pairs of coefficients p_j [queries * H, step] and
// rows x_j [queries * H, pitch(c)]. Reaches ascend, and p is 0 beside a reach within each TALL keys (see `clear_beside`).
template <class Put>
inline void spread(std::initializer_list<std::pair<const float*, const float*>> pairs, int64_t step, int64_t queries, int64_t H, int64_t c,
                   int64_t n, const Reach* reach, const Put& put) {
  const int64_t width = up(c, W);
  const auto part = [&]<int V>(int64_t d) {
    int64_t first = 0, end = 0;  // queries that read some of the keys
    for (int64_t k = 0; k < n; k += TALL) {
      while (first < queries && reach[first].end <= k) ++first;
      while (end < queries && reach[end].begin < k + TALL) ++end;
      if (first >= end) continue;
      F acc[TALL][V] = {};
      for (const auto& [p, x] : pairs)
        accumulate(p + first * H * step + k, 1, step, x + first * H * pitch(c) + d, pitch(c), (end - first) * H, acc);
      for (int r = 0; r < TALL && k + r < n; ++r)
        for (int v = 0; v < V; ++v) put(k + r, d + v * W, acc[r][v]);
    }
  };
  int64_t d = 0;
  for (; d + WIDE <= width; d += WIDE) part.template operator()<2>(d);
  if (d < width) part.template operator()<1>(d);
}

// Zeros what `spread` reads of a row beside its reach.
inline void clear_beside(float* p, Reach reach) {
  for (int64_t k = reach.begin / TALL * TALL; k < reach.begin; ++k) p[k] = 0.0f;
  for (int64_t k = reach.end; k < up(reach.end, TALL); ++k) p[k] = 0.0f;
}

}  // namespace
}  // namespace FB_LEVEL
