// How are weights multiplied in the format in which they are stored? See matrix.h.
//
// There are three inner products: floats (FP32 or BF16, widened), BF16 pairs (where the processor multiplies them)
// and bytes. FP8, FP4, and INT8 weights under float activations become BF16 first, which holds each of them exactly,
// scale included: a panel of rows at a time, so that all rows of x share the work, or in registers for a single row.
// A tile keeps R x C outputs in registers for the whole of K, each with lanes along K, and adds the lanes at the end.
#include "matrix.h"

#include <cmath>
#include <cstring>

#include "kernels.h"
#include "scratch.h"
#include "simd.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

using finback::Format;
using finback::Matrix;
using finback::Rounding;

#if defined(__AVX512F__)
constexpr int SUMS = 16;  // outputs of a tile: as many as leave registers for its operands
#else
constexpr int SUMS = 8;
#endif
constexpr int64_t BLOCK = 128;  // columns of an FP8 scale, and of a group of rounded activations
constexpr int64_t GROUP = 32;   // columns of an FP4 scale

// The sums of SUMS vectors' lanes. Every vector's lanes are added in the same order. Here and in the tiles every loop over
// sums is unrolled, or they would lie in memory instead of registers.
template <class V, class E>
__attribute__((always_inline)) inline void add_lanes(const V* v, E* out) {
#if defined(__AVX512F__)
  const auto f = [](V x) { return (__m512)x; };
  const auto d = [](V x) { return (__m512d)x; };
  V a[8], b[4], c[2];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    const __m512 x = f(v[2 * i]), y = f(v[2 * i + 1]);
    a[i] = (V)_mm512_unpacklo_ps(x, y) + (V)_mm512_unpackhi_ps(x, y);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const __m512d x = d(a[2 * i]), y = d(a[2 * i + 1]);
    b[i] = (V)_mm512_unpacklo_pd(x, y) + (V)_mm512_unpackhi_pd(x, y);
  }
  const auto halve = [&](V x, V y) {
    return (V)_mm512_shuffle_f32x4(f(x), f(y), 0x88) + (V)_mm512_shuffle_f32x4(f(x), f(y), 0xdd);
  };
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) c[i] = halve(b[2 * i], b[2 * i + 1]);
  const V total = halve(c[0], c[1]);
  std::memcpy(out, &total, sizeof total);
#else
#pragma GCC unroll 8
  for (int i = 0; i < SUMS; ++i) out[i] = sum(v[i]);
#endif
}

// ---- tiles of R rows of x and SUMS / R rows of W: out[r * C + c]

inline F floats(const float* p) { return load(p); }
inline F floats(const uint16_t* p) { return load_bf16(p); }
template <class E>
inline F floats(const E* p, int64_t n) {
  E part[W] = {};
  std::memcpy(part, p, n * sizeof(E));
  return floats(part);
}

inline void prefetch(const void* p) { __builtin_prefetch(p, 0, 2); }

template <int R, class X, class V>
void tile(const X* const* x, const V* const* w, int64_t K, float* out) {
  constexpr int C = SUMS / R;
  F s[SUMS] = {};
  int64_t k = 0;
  for (; k + W <= K; k += W) {
    F a[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) a[r] = floats(x[r] + k);
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      const F b = floats(w[c] + k);
      if (R == 1) prefetch(w[c] + C * K + k);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) s[r * C + c] = fma(a[r], b, s[r * C + c]);
    }
  }
  if (k < K) {
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      const F b = floats(w[c] + k, K - k);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) s[r * C + c] = fma(floats(x[r] + k, K - k), b, s[r * C + c]);
    }
  }
  add_lanes(s, out);
}

#if defined(__AVX512BW__)

// 32 BF16 values are 32 words of one register.
inline __m512i words(const uint16_t* p) { return _mm512_loadu_si512(p); }
inline __m512i words(const uint16_t* p, int64_t n) { return _mm512_maskz_loadu_epi16((1u << n) - 1, p); }

// The 128 non-negative E4M3 numbers as BF16, times a power of two; 127 is NaN.
struct Fp8Table {
  __m512i plain[4], scaled[4];

  Fp8Table() {
    alignas(64) uint16_t t[128];
    for (int i = 0; i < 128; ++i) {
      const float v = i < 8 ? std::ldexp(float(i), -9) : std::ldexp(float(8 + i % 8), i / 8 - 10);
      t[i] = i == 127 ? 0x7fc0 : float_to_bf16(v);
    }
    for (int i = 0; i < 4; ++i) plain[i] = scaled[i] = _mm512_load_si512(t + 32 * i);
  }
  void scale(uint8_t e8m0) {
    const __m512i shift = _mm512_set1_epi16(int16_t((int(e8m0) - 127) * 128));
    for (int i = 0; i < 4; ++i) {
      const uint32_t numbers = i == 0 ? 0xfffffffeu : i == 3 ? 0x7fffffffu : 0xffffffffu;  // neither 0 nor NaN
      scaled[i] = _mm512_mask_add_epi16(plain[i], numbers, plain[i], shift);
    }
  }
  __m512i look_up(__m256i bytes) const {
    const __m512i code = _mm512_cvtepu8_epi16(bytes);
    const __m512i low = _mm512_permutex2var_epi16(scaled[0], code, scaled[1]);
    const __m512i high = _mm512_permutex2var_epi16(scaled[2], code, scaled[3]);
    const __m512i value = _mm512_mask_blend_epi16(_mm512_test_epi16_mask(code, _mm512_set1_epi16(0x40)), low, high);
    const __m512i sign = _mm512_slli_epi16(_mm512_srli_epi16(code, 7), 15);
    return _mm512_or_si512(value, sign);
  }
};

// The 16 E2M1 numbers as BF16, twice.
struct Fp4Table {
  __m512i plain;

  Fp4Table() {
    static const float v[8] = {0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f};
    alignas(64) uint16_t t[32];
    for (int i = 0; i < 32; ++i) t[i] = uint16_t(float_to_bf16(v[i % 8]) | (i % 16 < 8 ? 0 : 0x8000));
    plain = _mm512_load_si512(t);
  }
  // 16 bytes hold a whole group. A lookup reads the low 5 bits of an index and entries 16..31 repeat 0..15, so that
  // what a byte's other half leaves there does no harm.
  __m512i look_up(const uint8_t* p, uint8_t e8m0) const {
    const __m512i d = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const __m512i index = _mm512_or_si512(d, _mm512_slli_epi32(d, 12));
    const __m512i shift = _mm512_set1_epi16(int16_t((int(e8m0 < 2 ? 2 : e8m0) - 127) * 128));
    const uint32_t numbers = 0xfefefefeu;  // not the zeros of either sign
    return _mm512_permutexvar_epi16(index, _mm512_mask_add_epi16(plain, numbers, plain, shift));
  }
};

#endif

#if defined(__AVX512BF16__)

inline F dot_pairs(F s, __m512i a, __m512i b) { return _mm512_dpbf16_ps(s, (__m512bh)a, (__m512bh)b); }

template <int R>
void tile(const uint16_t* const* x, const uint16_t* const* w, int64_t K, float* out) {
  constexpr int C = SUMS / R;
  F s[SUMS] = {};
  int64_t k = 0;
  for (; k + 32 <= K; k += 32) {
    __m512i a[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) a[r] = words(x[r] + k);
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      const __m512i b = words(w[c] + k);
      if (R == 1) prefetch(w[c] + C * K + k);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) s[r * C + c] = dot_pairs(s[r * C + c], a[r], b);
    }
  }
  if (k < K) {
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c)
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r)
        s[r * C + c] = dot_pairs(s[r * C + c], words(x[r] + k, K - k), words(w[c] + k, K - k));
  }
  add_lanes(s, out);
}

// One row of x and 16 encoded rows of W, decoded in registers in the same order. Rows past the last repeat it.
void fp8_tile(const uint16_t* x, const Matrix& w, int64_t n, Fp8Table& table, float* out) {
  const int64_t K = w.K;
  const uint8_t* scale = static_cast<const uint8_t*>(w.scale) + n / BLOCK * ((K + BLOCK - 1) / BLOCK);
  const uint8_t* row[SUMS];
  for (int c = 0; c < SUMS; ++c) row[c] = static_cast<const uint8_t*>(w.data) + (n + c < w.N ? n + c : w.N - 1) * K;
  F s[SUMS] = {};
  int64_t k = 0;
  for (; k + 32 <= K; k += 32) {
    if (k % BLOCK == 0) table.scale(scale[k / BLOCK]);
    const __m512i a = words(x + k);
#pragma GCC unroll 16
    for (int c = 0; c < SUMS; ++c) {
      prefetch(row[c] + SUMS * K + k);
      s[c] = dot_pairs(s[c], a, table.look_up(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row[c] + k))));
    }
  }
  if (k < K) {
    if (k % BLOCK == 0) table.scale(scale[k / BLOCK]);
    const uint32_t rest = (1u << (K - k)) - 1;
#pragma GCC unroll 16
    for (int c = 0; c < SUMS; ++c)
      s[c] = dot_pairs(s[c], words(x + k, K - k), table.look_up(_mm256_maskz_loadu_epi8(rest, row[c] + k)));
  }
  add_lanes(s, out);
}

void fp4_tile(const uint16_t* x, const Matrix& w, int64_t n, const Fp4Table& table, float* out) {
  const int64_t bytes = w.K / 2, groups = w.K / GROUP;
  const uint8_t *row[SUMS], *scale[SUMS];
  for (int c = 0; c < SUMS; ++c) {
    const int64_t i = n + c < w.N ? n + c : w.N - 1;
    row[c] = static_cast<const uint8_t*>(w.data) + i * bytes;
    scale[c] = static_cast<const uint8_t*>(w.scale) + i * groups;
  }
  F s[SUMS] = {};
  for (int64_t g = 0; g < groups; ++g) {
    const __m512i a = words(x + g * GROUP);
#pragma GCC unroll 16
    for (int c = 0; c < SUMS; ++c) {
      prefetch(row[c] + SUMS * bytes + 16 * g);
      s[c] = dot_pairs(s[c], a, table.look_up(row[c] + 16 * g, scale[c][g]));
    }
  }
  add_lanes(s, out);
}

#endif

struct Bytes {
  const int8_t* data;
  int32_t sum;
};

// Integer sums are exact in any order. The processor multiplies unsigned with signed bytes: w + 128 with x, which is
// 128 sum(x) too much.
template <int R>
void tile(const Bytes* x, const int8_t* const* w, int64_t K, float* out) {
  constexpr int C = SUMS / R;
  int32_t total[SUMS];
#if defined(__AVX512VNNI__)
  const __m512i offset = _mm512_set1_epi8(-128);
  I s[SUMS] = {};
  int64_t k = 0;
  for (; k + 64 <= K; k += 64) {
    __m512i a[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) a[r] = _mm512_loadu_si512(x[r].data + k);
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      const __m512i b = _mm512_xor_si512(_mm512_loadu_si512(w[c] + k), offset);
      if (R == 1) prefetch(w[c] + C * K + k);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) s[r * C + c] = (I)_mm512_dpbusd_epi32((__m512i)s[r * C + c], b, a[r]);
    }
  }
  if (k < K) {
    const uint64_t rest = (uint64_t(1) << (K - k)) - 1;
#pragma GCC unroll 16
    for (int c = 0; c < C; ++c) {
      const __m512i b = _mm512_xor_si512(_mm512_maskz_loadu_epi8(rest, w[c] + k), offset);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r)
        s[r * C + c] = (I)_mm512_dpbusd_epi32((__m512i)s[r * C + c], b, _mm512_maskz_loadu_epi8(rest, x[r].data + k));
    }
  }
  add_lanes(s, total);
  for (int i = 0; i < SUMS; ++i) total[i] -= 128 * x[i / C].sum;
#else
  for (int i = 0; i < SUMS; ++i) {
    const int8_t *a = x[i / C].data, *b = w[i % C];
    int32_t s = 0;
    for (int64_t k = 0; k < K; ++k) s += int16_t(a[k]) * int16_t(b[k]);
    total[i] = s;
  }
#endif
  for (int i = 0; i < SUMS; ++i) out[i] = float(total[i]);
}

// ---- a panel of W as BF16

// Floats that BF16 holds exactly.
inline void store_exact(uint16_t* p, F v, int n) {
  uint16_t part[W];
  for (int i = 0; i < W; ++i) part[i] = uint16_t(uint32_t(((I)v)[i]) >> 16);
  std::memcpy(p, part, 2 * n);
}

// W codes in the low bits of `code`, of `mantissa` bits of mantissa in a number of `bits` bits, to floats. Such a
// number's bits, moved to the place that FP32 has for them, are the number times a constant power of two.
inline F decoded(I code, int bits, int mantissa, float power) {
  const I magnitude = code & ((1 << (bits - 1)) - 1), sign = code >> (bits - 1) << 31;
  return (F)((I)((F)(magnitude << (23 - mantissa)) * power) | sign);
}

inline float e8m0(uint8_t e) {
  const uint32_t bits = e == 0 ? 0x400000u : uint32_t(e) << 23;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

[[maybe_unused]] void decode_fp8(const uint8_t* p, const uint8_t* scale, int64_t K, uint16_t* out) {
  for (int64_t k = 0; k < K; k += W) {  // W divides a block
    const int n = int(K - k < W ? K - k : W);
    uint8_t part[W] = {};
    std::memcpy(part, p + k, n);
    I code;
    for (int i = 0; i < W; ++i) code[i] = part[i];
    const F v = (code & 127) == 127 ? splat(__builtin_nanf("")) : decoded(code, 8, 3, 0x1p120f);
    store_exact(out + k, v * e8m0(scale[k / BLOCK]), n);
  }
}

[[maybe_unused]] void decode_fp4(const uint8_t* p, const uint8_t* scale, int64_t K, uint16_t* out) {
  for (int64_t k = 0; k < K; k += W) {  // W divides a group
    I code;
    for (int i = 0; i < W; ++i) code[i] = i % 2 ? p[(k + i) / 2] >> 4 : p[(k + i) / 2] & 15;
    const uint8_t e = scale[k / GROUP];
    store_exact(out + k, decoded(code, 4, 1, 0x1p126f) * e8m0(e < 2 ? 2 : e), W);
  }
}

void decode_int8(const int8_t* p, int64_t K, uint16_t* out) {
  for (int64_t k = 0; k < K; ++k) {
    const float v = p[k];
    uint32_t bits;
    std::memcpy(&bits, &v, 4);
    out[k] = uint16_t(bits >> 16);
  }
}

// Rows first..first+count-1 of an encoded matrix, without int8's scale. `first` is a multiple of PANEL.
void decode_panel(const Matrix& w, int64_t first, int64_t count, uint16_t* out) {
  const int64_t K = w.K;
  const uint8_t* data = static_cast<const uint8_t*>(w.data);
  const uint8_t* scale = static_cast<const uint8_t*>(w.scale);
  if (w.format == Format::int8) {
    decode_int8(static_cast<const int8_t*>(w.data) + first * K, count * K, out);
    return;
  }
#if defined(__AVX512BW__)
  if (w.format == Format::fp8) {
    static const Fp8Table plain;
    Fp8Table table = plain;
    const uint8_t* s = scale + first / BLOCK * ((K + BLOCK - 1) / BLOCK);
    for (int64_t block = 0; block < K; block += BLOCK) {
      table.scale(s[block / BLOCK]);
      const int64_t end = block + BLOCK < K ? block + BLOCK : K;
      for (int64_t n = 0; n < count; ++n) {
        const uint8_t* p = data + (first + n) * K;
        int64_t k = block;
        for (; k + 32 <= end; k += 32)
          _mm512_storeu_si512(out + n * K + k, table.look_up(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + k))));
        if (k < end) {
          const uint32_t rest = (1u << (end - k)) - 1;
          _mm512_mask_storeu_epi16(out + n * K + k, rest, table.look_up(_mm256_maskz_loadu_epi8(rest, p + k)));
        }
      }
    }
  } else {
    static const Fp4Table table;
    for (int64_t n = 0; n < count; ++n)
      for (int64_t g = 0; g < K / GROUP; ++g)
        _mm512_storeu_si512(out + n * K + g * GROUP,
                            table.look_up(data + (first + n) * (K / 2) + 16 * g, scale[(first + n) * (K / GROUP) + g]));
  }
#else
  for (int64_t n = first; n < first + count; ++n) {
    uint16_t* row = out + (n - first) * K;
    if (w.format == Format::fp8) decode_fp8(data + n * K, scale + n / BLOCK * ((K + BLOCK - 1) / BLOCK), K, row);
    else decode_fp4(data + n * (K / 2), scale + n * (K / GROUP), K, row);
  }
#endif
}

// ---- all tiles of some rows of x and a panel of W

inline const float* row_of(const Rows& x, int64_t t, const float*) { return static_cast<const float*>(x.data) + t * x.K; }
inline const uint16_t* row_of(const Rows& x, int64_t t, const uint16_t*) {
  return static_cast<const uint16_t*>(x.data) + t * x.K;
}
inline Bytes row_of(const Rows& x, int64_t t, Bytes) { return {static_cast<const int8_t*>(x.data) + t * x.K, x.sum[t]}; }

// `scale`: of the panel's rows, or null.
inline void finish(const float* sums, int columns, const Rows& x, int64_t t, const float* scale, float* y) {
  if (!scale) std::memcpy(y, sums, 4 * columns);
  else if (x.rounding == Rounding::int8)
    for (int c = 0; c < columns; ++c) y[c] = sums[c] * (x.scale[t] * scale[c]);
  else
    for (int c = 0; c < columns; ++c) y[c] = sums[c] * scale[c];
}

template <int R, class Row, class V>
void tiles(const Rows& x, const int32_t* rows, int64_t i, const V* w, int64_t n, const float* scale, float* y, int64_t stride) {
  constexpr int C = SUMS / R;
  Row a[R];
  for (int r = 0; r < R; ++r) a[r] = row_of(x, rows ? rows[i + r] : i + r, Row{});
  for (int64_t c0 = 0; c0 < n; c0 += C) {
    const int columns = int(n - c0 < C ? n - c0 : C);
    const V* b[C];
    for (int c = 0; c < C; ++c) b[c] = w + (c0 + (c < columns ? c : columns - 1)) * x.K;
    float sums[SUMS];
    tile<R>(a, b, x.K, sums);
    for (int r = 0; r < R; ++r)
      finish(sums + r * C, columns, x, rows ? rows[i + r] : i + r, scale ? scale + c0 : nullptr, y + (i + r) * stride + c0);
  }
}

template <class Row, class V>
void cover(const Rows& x, const int32_t* rows, int64_t count, const V* w, int64_t n, const float* scale, float* y,
           int64_t stride) {
  // so many rows of W at a time that they stay in the first cache while the rows of x go by
  for (int64_t at = 0; at < n; at += SUMS) {
    const V* part = w + at * x.K;
    const int64_t width = n - at < SUMS ? n - at : SUMS;
    const float* s = scale ? scale + at : nullptr;
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) tiles<4, Row>(x, rows, i, part, width, s, y + at, stride);
    if (i + 2 <= count) {
      tiles<2, Row>(x, rows, i, part, width, s, y + at, stride);
      i += 2;
    }
    if (i < count) tiles<1, Row>(x, rows, i, part, width, s, y + at, stride);
  }
}

template <class V>
void cover_floats(const Rows& x, const int32_t* rows, int64_t count, const V* w, int64_t n, const float* scale, float* y,
                  int64_t stride) {
  if (x.rounding == Rounding::fp32) cover<const float*>(x, rows, count, w, n, scale, y, stride);
  else cover<const uint16_t*>(x, rows, count, w, n, scale, y, stride);
}

#if defined(__AVX512BF16__)
// A single row of x does not pay for a decoded panel.
void product_in_registers(const Rows& x, int64_t t, const Matrix& w, int64_t first, int64_t end, float* y) {
  const uint16_t* row = row_of(x, t, static_cast<const uint16_t*>(nullptr));
  static const Fp8Table plain;
  static const Fp4Table fp4;
  Fp8Table fp8 = plain;
  for (int64_t n = first; n < end; n += SUMS) {
    float sums[SUMS];
    if (w.format == Format::fp8) fp8_tile(row, w, n, fp8, sums);
    else fp4_tile(row, w, n, fp4, sums);
    std::memcpy(y + n - first, sums, 4 * (end - n < SUMS ? end - n : SUMS));
  }
}
#endif

// ---- rounding

// The largest magnitude as bits, which order as the magnitudes do, infinity and NaN above all numbers.
int32_t largest_bits(const float* x, int64_t n) {
  int32_t top = 0;
  for (int64_t i = 0; i < n; ++i) {
    int32_t bits;
    std::memcpy(&bits, x + i, 4);
    bits &= 0x7fffffff;
    top = bits > top ? bits : top;
  }
  return top;
}

constexpr int32_t INFINITE = 0x7f800000;

float as_float(int32_t bits) {
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

void round_to_bf16(const float* x, int64_t n, uint16_t* out) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store_bf16(out + i, load(x + i));
  for (; i < n; ++i) out[i] = float_to_bf16(x[i]);
}

// One group: E4M3 times a power of two, as checkpoint.formats encodes. With infinity or NaN in it, all is NaN.
void round_to_fp8(const float* x, int64_t n, uint16_t* out) {
  const int32_t top = largest_bits(x, n);
  if (top >= INFINITE) {
    for (int64_t i = 0; i < n; ++i) out[i] = 0x7fc0;
    return;
  }
  const float amax = as_float(top), product = (amax > 1e-4f ? amax : 1e-4f) * (1.0f / 448.0f);
  int32_t bits;
  std::memcpy(&bits, &product, 4);
  const int e = (bits >> 23) - 127 + ((bits & 0x7fffff) != 0);  // ceil(log2(product))
  const float scale = std::ldexp(1.0f, e), inverse = std::ldexp(1.0f, -e);
  for (int64_t i = 0; i < n; ++i) {
    float v = x[i] * inverse;
    v = v > 448.0f ? 448.0f : v < -448.0f ? -448.0f : v;
    int32_t b;
    std::memcpy(&b, &v, 4);
    b = (b + 0x7ffff + (b >> 20 & 1)) & ~0xfffff;                  // three bits of mantissa, nearest even
    const float normal = as_float(b), tiny = (v + 24576.0f) - 24576.0f;  // below 2^-6 E4M3 counts in steps of 2^-9
    const float rounded = (std::fabs(v) < 0x1p-6f ? std::copysign(tiny, v) : normal) * scale;
    std::memcpy(&b, &rounded, 4);
    out[i] = uint16_t(uint32_t(b) >> 16);
  }
}

// One row: q = x 127 / max|x|, rounded to nearest even. With infinity or NaN in it, its scale is NaN.
void round_to_int8(const float* x, int64_t n, int8_t* out, float* scale, int32_t* sum) {
  const int32_t top = largest_bits(x, n);
  const bool finite = top < INFINITE;
  const float amax = finite ? as_float(top) : 1.0f, bounded = amax > 1e-30f ? amax : 1e-30f, inverse = 127.0f / bounded;
  int32_t total = 0;
  for (int64_t i = 0; i < n; ++i) {
    const float v = (finite ? x[i] : 0.0f) * inverse + 12582912.0f;  // 1.5 * 2^23: the integer is in the low bits
    int32_t bits;
    std::memcpy(&bits, &v, 4);
    out[i] = int8_t(bits);
    total += int8_t(bits);
  }
  *scale = finite ? bounded / 127.0f : __builtin_nanf("");
  *sum = total;
}

}  // namespace

int64_t rounded_bytes(Rounding rounding, int64_t T, int64_t K) {
  switch (rounding) {
    case Rounding::fp32: return 0;
    case Rounding::int8: return align64(T * K) + align64(4 * T) + align64(4 * T);
    default: return align64(2 * T * K);
  }
}

Rows round_rows(const float* x, int64_t T, int64_t K, Rounding rounding, void* space) {
  if (rounding == Rounding::fp32) return {rounding, T, K, x, nullptr, nullptr};
  char* p = static_cast<char*>(space);
  float* scale = reinterpret_cast<float*>(p + align64(T * K));
  int32_t* sum = reinterpret_cast<int32_t*>(p + align64(T * K) + align64(4 * T));
  finback::parallel_rows(T, 1 + (1 << 14) / (K + 1), [&](int64_t first, int64_t end) {
    for (int64_t t = first; t < end; ++t) {
      const float* row = x + t * K;
      uint16_t* out = reinterpret_cast<uint16_t*>(p) + t * K;
      if (rounding == Rounding::int8) round_to_int8(row, K, reinterpret_cast<int8_t*>(p) + t * K, scale + t, sum + t);
      else if (rounding == Rounding::bf16) round_to_bf16(row, K, out);
      else
        for (int64_t k = 0; k < K; k += BLOCK) round_to_fp8(row + k, K - k < BLOCK ? K - k : BLOCK, out + k);
    }
  });
  const bool bytes = rounding == Rounding::int8;
  return {rounding, T, K, p, bytes ? scale : nullptr, bytes ? sum : nullptr};
}

void product(const Rows& x, const int32_t* rows, int64_t count, const Matrix& w, int64_t first, int64_t end, float* y,
             int64_t stride) {
#if defined(__AVX512BF16__)
  const bool encoded = w.format == Format::fp8 || w.format == Format::fp4;
  if (count == 1 && encoded && x.rounding != Rounding::fp32) {
    product_in_registers(x, rows ? rows[0] : 0, w, first, end, y);
    return;
  }
#endif
  for (int64_t n = first; n < end; n += PANEL) {
    const int64_t width = end - n < PANEL ? end - n : PANEL;
    const float* scale = w.format == Format::int8 ? static_cast<const float*>(w.scale) + n : nullptr;
    float* part = y + n - first;
    if (w.format == Format::fp32) {
      cover_floats(x, rows, count, static_cast<const float*>(w.data) + n * w.K, width, scale, part, stride);
    } else if (w.format == Format::bf16) {
      cover_floats(x, rows, count, static_cast<const uint16_t*>(w.data) + n * w.K, width, scale, part, stride);
    } else if (x.rounding == Rounding::int8) {
      cover<Bytes>(x, rows, count, static_cast<const int8_t*>(w.data) + n * w.K, width, scale, part, stride);
    } else {
      uint16_t* panel = reinterpret_cast<uint16_t*>(scratch(PANEL_SLOT, 2 * PANEL * w.K));
      decode_panel(w, n, width, panel);
      cover_floats(x, rows, count, panel, width, scale, part, stride);
    }
  }
}

void multiply(const Rows& x, const Matrix& w, float* y, int64_t stride) {
  // A task is some panels of W with some rows of x: large enough to be worth claiming, small enough to share.
  const int64_t rows = x.T < 256 ? x.T : 256;
  const int64_t work = rows * PANEL * w.K, panels = work < (1 << 16) ? (1 << 16) / (work + 1) : 1;
  const int64_t across = (w.N + panels * PANEL - 1) / (panels * PANEL), down = rows ? (x.T + rows - 1) / rows : 0;
  finback::parallel(across * down, [&](int64_t task) {
    const int64_t first = task % across * panels * PANEL, end = first + panels * PANEL, t = task / across * rows;
    Rows part = x;
    part.T = x.T - t < rows ? x.T - t : rows;
    const int64_t bytes = x.rounding == Rounding::fp32 ? 4 : x.rounding == Rounding::int8 ? 1 : 2;
    part.data = static_cast<const char*>(x.data) + t * x.K * bytes;
    if (x.scale) part.scale += t, part.sum += t;
    product(part, nullptr, part.T, w, first, end < w.N ? end : w.N, y + t * stride + first, stride);
  });
}

}  // namespace FB_LEVEL
