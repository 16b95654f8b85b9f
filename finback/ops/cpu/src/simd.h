// What is a vector here? W floats, as wide as the level that this file is compiled for has registers.
//
// Every kernel is compiled once per level (portable, avx2, avx512, avx512bf16) inside a namespace of the
// level's name, FB_LEVEL. GCC's and Clang's vector extensions write the arithmetic; intrinsics appear only
// where a level has an instruction that they cannot say. Sums over lanes have one fixed order.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace FB_LEVEL {

#if defined(__AVX512F__)
constexpr int W = 16;
#elif defined(__AVX2__)
constexpr int W = 8;
#else
constexpr int W = 4;
#endif

typedef float F __attribute__((vector_size(4 * W), aligned(4 * W)));
typedef float UnalignedF __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef int32_t I __attribute__((vector_size(4 * W), aligned(4 * W)));
typedef uint16_t H __attribute__((vector_size(2 * W), aligned(2 * W)));
typedef uint16_t UnalignedH __attribute__((vector_size(2 * W), aligned(2), may_alias));

inline F load(const float* p) { return *reinterpret_cast<const UnalignedF*>(p); }
inline void store(float* p, F v) { *reinterpret_cast<UnalignedF*>(p) = v; }
inline F splat(float x) { return x - F{}; }  // not F{} + x, an addition indeed: it makes 0 of -0

// The first n < W floats; the other lanes are `fill`, and nothing behind p[n] is touched.
inline F load(const float* p, int n, float fill = 0.0f) {
  F v = splat(fill);
  std::memcpy(&v, p, 4 * n);
  return v;
}
inline void store(float* p, F v, int n) { std::memcpy(p, &v, 4 * n); }

inline F fma(F a, F b, F c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

inline F max(F a, F b) { return a > b ? a : b; }
inline F min(F a, F b) { return a < b ? a : b; }

// The sum of the lanes: halves are added until one is left.
inline float sum(F v) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps(v);
#else
  float x[W];
  std::memcpy(x, &v, sizeof x);
  for (int half = W / 2; half; half /= 2)
    for (int i = 0; i < half; ++i) x[i] += x[i + half];
  return x[0];
#endif
}

inline float largest(F v) {
#if defined(__AVX512F__)
  return _mm512_reduce_max_ps(v);
#else
  float x = v[0];
  for (int i = 1; i < W; ++i) x = x > v[i] ? x : v[i];
  return x;
#endif
}

inline float bf16_to_float(uint16_t x) {
  uint32_t bits = uint32_t(x) << 16;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

// Round to nearest even; NaN stays NaN.
inline uint16_t float_to_bf16(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline F load_bf16(const uint16_t* p) {
  H h = *reinterpret_cast<const UnalignedH*>(p);
  return (F)(__builtin_convertvector(h, I) << 16);
}

// Round to nearest even; NaN stays NaN.
inline H to_bf16(F v) {
#if defined(__AVX512BF16__)
  return (H)_mm512_cvtneps_pbh(v);
#else
  typedef uint32_t U __attribute__((vector_size(4 * W), aligned(4 * W)));
  const U bits = (U)v, rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16, nan = bits >> 16 | 0x40;
  return __builtin_convertvector(v == v ? rounded : nan, H);
#endif
}

inline void store_bf16(uint16_t* p, F v) { *reinterpret_cast<UnalignedH*>(p) = to_bf16(v); }

// Stores that go past the caches, where the level has them, to addresses that are multiples of the vector's size; a
// thread must `fence` them before it says that it is done.
inline void store_past(float* p, F v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(p, v);
#elif defined(__AVX__)
  _mm256_stream_ps(p, v);
#else
  store(p, v);
#endif
}
inline void store_past(uint16_t* p, F v) {
#if defined(__AVX512F__)
  _mm256_stream_si256(reinterpret_cast<__m256i*>(p), (__m256i)to_bf16(v));
#elif defined(__AVX__)
  _mm_stream_si128(reinterpret_cast<__m128i*>(p), (__m128i)to_bf16(v));
#else
  store_bf16(p, v);
#endif
}
inline void fence() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

// e^x to about 2 ulp: x = n ln 2 + r, a polynomial in r, n added to the exponent. 0 below -87.3, infinity
// above 88.7, NaN for NaN.
inline F exp(F x) {
#if defined(__AVX512F__)
  const F bounded = _mm512_min_ps(splat(89.0f), x);  // of a NaN and a number these take the second
#else
  const F bounded = min(max(x, splat(-87.33654f)), splat(88.72283f));
#endif
  const F shift = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const F n = fma(bounded, splat(1.44269504f), shift) - shift;
  F r = fma(n, splat(-0.693359375f), bounded);
  r = fma(n, splat(2.12194440e-4f), r);
  F p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = fma(p, r * r, r + 1.0f);
#if defined(__AVX512F__)
  return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(x, splat(-87.33654f), _CMP_NLT_UQ), p, n);
#else
  // n may be 128: two factors of about 2^(n/2), so that neither overflows
  const I whole = __builtin_convertvector(n, I), half = whole >> 1;
  const F y = p * (F)((half + 127) << 23) * (F)((whole - half + 127) << 23);
  const F low = x < -87.33654f ? splat(0.0f) : y;
  const F high = x > 88.72283f ? splat(__builtin_inff()) : low;
  return x == x ? high : x;
#endif
}

inline F sigmoid(F x) { return 1.0f / (1.0f + exp(-x)); }
inline F silu(F x) { return x / (1.0f + exp(-x)); }

}  // namespace FB_LEVEL
