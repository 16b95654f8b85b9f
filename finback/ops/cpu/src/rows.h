// Which small steps on rows of floats do several kernels take?
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "simd.h"
#include "threads.h"

namespace FB_LEVEL {
namespace rows_detail {

// Of two vectors that hold segments of 2 * half lanes each: the segments of a, then of b, folded to `half` lanes.
template <int half, int... lane>
inline F fold(F a, F b, std::integer_sequence<int, lane...>) {
  // lane l belongs to the folded segment l / half; segments of a have lanes 0..W-1, those of b W..2W-1
  return __builtin_shufflevector(a, b, (lane / half * 2 * half + lane % half)...) +
         __builtin_shufflevector(a, b, (lane / half * 2 * half + half + lane % half)...);
}

template <int count>
inline void fold_all(F* v) {
  if constexpr (count > 1) {
    for (int i = 0; i < count / 2; ++i) v[i] = fold<count / 2>(v[2 * i], v[2 * i + 1], std::make_integer_sequence<int, W>());
    fold_all<count / 2>(v);
  }
}

// Rows a and b of a matrix, whose numbers differ by `half`, exchange the lanes whose numbers have that bit.
template <int half, int... lane>
inline void exchange(F& a, F& b, std::integer_sequence<int, lane...>) {
  const F upper = __builtin_shufflevector(a, b, ((lane & half) ? W + lane - half : lane)...);
  b = __builtin_shufflevector(a, b, ((lane & half) ? W + lane : lane + half)...);
  a = upper;
}

}  // namespace rows_detail

// W vectors as the rows of a matrix become its columns.
template <int half = W / 2>
inline void transpose(F* v) {
  for (int i = 0; i < W; ++i)
    if (!(i & half)) rows_detail::exchange<half>(v[i], v[i + half], std::make_integer_sequence<int, W>());
  if constexpr (half > 1) transpose<half / 2>(v);
}

// The sums of W vectors, one in each lane. Overwrites v.
inline F sums(F* v) {
  rows_detail::fold_all<W>(v);
  return v[0];
}

inline F load(const uint16_t* p) { return load_bf16(p); }
inline F load(const uint16_t* p, int n) {
  uint16_t padded[W] = {};
  std::memcpy(padded, p, 2 * n);
  return load_bf16(padded);
}

inline void store(uint16_t* p, F v) { store_bf16(p, v); }
inline void store(uint16_t* p, F v, int n) {
  uint16_t part[W];
  store_bf16(part, v);
  std::memcpy(p, part, 2 * n);
}

// Whole vectors mostly, and the first `lanes` of a row's last.
template <class E>
inline F some(const E* p, int lanes) {
  return lanes < W ? load(p, lanes) : load(p);
}
template <class E>
inline void store_some(E* p, F v, int lanes, bool past = false) {
  if (lanes < W) store(p, v, lanes);
  else if (past) store_past(p, v);
  else store(p, v);
}

// Whether `count` results in rows of n should go past the caches: they would not stay there, and a line that is not
// in the cache would first be read from memory only to be overwritten.
constexpr int64_t PAST_BYTES = 4 << 20;
template <class E>
inline bool past_caches(const E* p, int64_t count, int64_t n) {
  return count * int64_t(sizeof(E)) >= PAST_BYTES && reinterpret_cast<uintptr_t>(p) % 64 == 0 && n * sizeof(E) % 64 == 0;
}

// body(e) with e of the type that activations have; `as` gives a pointer to them.
template <class Body>
inline void with_type(bool bf16, const Body& body) {
  if (bf16) body(uint16_t());
  else body(float());
}
template <class E>
inline E* as(E, void* p) {
  return static_cast<E*>(p);
}
template <class E>
inline const E* as(E, const void* p) {
  return static_cast<const E*>(p);
}

template <class A, class B>
inline float dot(const A* a, const B* b, int64_t n) {
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

// y = scale * w * x / rms(x) for one row; w may be null. x may be y. Returns scale / rms(x).
template <class E>
inline float rms_norm(const E* x, const float* w, int64_t n, float eps, float scale, E* y, bool past = false) {
  const float factor = scale / std::sqrt(dot(x, x, n) / float(n) + eps);
  const auto step = [&](int64_t i, int lanes) {
    const F v = some(x + i, lanes) * factor;
    store_some(y + i, w ? v * some(w + i, lanes) : v, lanes, past);
  };
  int64_t i = 0;
  for (; i + W <= n; i += W) step(i, W);
  if (i < n) step(i, int(n - i));
  return factor;
}

// Turns the pairs x[2i], x[2i+1] by the angles of cos and sin [r]; `direction` -1 turns them back.
inline void rotate(float* x, const float* cos, const float* sin, int64_t r, float direction) {
  for (int64_t i = 0; i < r; ++i) {
    const float even = x[2 * i], odd = x[2 * i + 1], s = direction * sin[i];
    x[2 * i] = even * cos[i] - odd * s;
    x[2 * i + 1] = even * s + odd * cos[i];
  }
}

// ops.formats.round_index for one row, to the bit: x times the Hadamard matrix over sqrt(n), then what its groups of 32
// are in FP4 (report 5.2.1). n is a power of two.
inline void round_index(float* x, int64_t n) {
  for (int64_t half = 1; half < n; half *= 2)
    for (int64_t i = 0; i < n; i += 2 * half)
      for (int64_t j = i; j < i + half; ++j) {
        const float a = x[j], b = x[j + half];
        x[j] = a + b, x[j + half] = a - b;
      }
  const float norm = float(1.0 / std::sqrt(double(n)));
  for (int64_t first = 0; first < n; first += 32) {
    const int64_t end = first + 32 < n ? first + 32 : n;
    float top = 6.0f * 0x1p-126f;
    for (int64_t i = first; i < end; ++i) {
      x[i] *= norm;
      const float a = std::fabs(x[i]);
      top = a > top || a != a ? a : top;  // a NaN stays, and makes its group NaN
    }
    const float product = top * float(1.0 / 6.0);
    uint32_t bits;
    std::memcpy(&bits, &product, 4);
    bits = (bits + 0x007fffff) & 0x7f800000;
    float scale;
    std::memcpy(&scale, &bits, 4);
    for (int64_t i = first; i < end; ++i) {
      // values lie 0.5 apart below 2, 1 below 4 and 2 above: a sum with 1.5 * 2^23 spacings keeps exactly that many bits
      const float v = x[i] / scale, a = std::fabs(v);
      const float anchor = (a < 2.0f ? 1.0f : a < 4.0f ? 2.0f : 4.0f) * 0x1.8p22f;
      x[i] = std::copysign(a + anchor - anchor, v) * scale;
    }
  }
}

inline void store_row(float* to, const float* from, int64_t n) { std::memcpy(to, from, 4 * n); }
inline void store_row(uint16_t* to, const float* from, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store_bf16(to + i, load(from + i));
  for (; i < n; ++i) to[i] = float_to_bf16(from[i]);
}

// Gradients of parameters are sums over all rows. They are made in parts, of which there are as many with any number of
// threads, and the parts are added in order. The rows of a part:
inline int64_t part_rows(int64_t rows) {
  const int64_t even = (rows + 15) / 16, whole = (even + W - 1) / W * W;
  return whole < 64 ? 64 : whole;
}

// out [n] = the sum of parts [count, stride]'s first n columns.
inline void add_parts(const float* parts, int64_t count, int64_t stride, int64_t n, float* out) {
  finback::parallel_rows(n, 4096, [&](int64_t first, int64_t end) {
    std::memset(out + first, 0, 4 * (end - first));
    for (int64_t p = 0; p < count; ++p)
      for (int64_t i = first; i < end; ++i) out[i] += parts[p * stride + i];
  });
}

}  // namespace FB_LEVEL
