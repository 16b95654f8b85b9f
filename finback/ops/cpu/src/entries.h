// How does a cached vector look in the report's layout? (report 5.3; ops/entries.py says the same in PyTorch)
//
// An entry of c channels, the last 2r of them rotary: the others in FP8 (E4M3), the rotary ones in BF16, then a
// power-of-two scale (E8M0) for each 64 of the FP8 channels, filled up to 8 bytes. An indexer's key: FP4 (E2M1), two to
// a byte, then a scale for each 32. All values are exact in BF16.
#pragma once

#include <cmath>

#include "rows.h"

namespace FB_LEVEL {

constexpr int64_t ENTRY_GROUP = 64;

inline int64_t entry_bytes(int64_t c, int64_t r) {
  const int64_t plain = c - 2 * r, scales = (plain + ENTRY_GROUP - 1) / ENTRY_GROUP;
  return plain + 4 * r + (scales + 7) / 8 * 8;
}
inline int64_t key_bytes(int64_t n) { return n / 2 + (n + 31) / 32; }

// 2^ceil(log2(top * factor)) as its E8M0 byte, from the bits of the FP32 product; 255 if top is no number.
inline uint8_t scale_byte(float top, float factor) {
  if (!(std::fabs(top) <= 3.4e38f)) return 255;
  const float product = top * factor;
  uint32_t bits;
  std::memcpy(&bits, &product, 4);
  return uint8_t((bits + 0x007fffff) >> 23);
}
inline float scale_of(uint8_t byte) {
  if (byte == 255) return __builtin_nanf("");
  const uint32_t bits = byte ? uint32_t(byte) << 23 : 0x00400000u;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

// |v| <= 448, to nearest even.
inline uint8_t to_e4m3(float v) {
  const float a = std::fabs(v);
  uint32_t bits, code;
  std::memcpy(&bits, &a, 4);
  if (a < 0x1p-6f) code = uint32_t(std::lrint(a * 512.0f));  // subnormal; 8 of them are the first normal number
  else code = ((bits + 0x7ffff + (bits >> 20 & 1)) >> 20) - (120u << 3);
  return uint8_t(code | (std::signbit(v) ? 0x80 : 0));
}

inline void encode_entry(const float* x, int64_t c, int64_t r, uint8_t* out) {
  const int64_t plain = c - 2 * r;
  uint8_t* scales = out + plain + 4 * r;
  std::memset(scales, 0, entry_bytes(c, r) - plain - 4 * r);
  for (int64_t first = 0; first < plain; first += ENTRY_GROUP) {
    const int64_t end = first + ENTRY_GROUP < plain ? first + ENTRY_GROUP : plain;
    float row[ENTRY_GROUP], top = 1e-4f;
    for (int64_t i = first; i < end; ++i) {
      const float v = bf16_to_float(float_to_bf16(x[i])), a = std::fabs(v);
      row[i - first] = v;
      top = a > top || a != a ? a : top;
    }
    const uint8_t byte = scale_byte(top, float(1.0 / 448.0));
    const float scale = scale_of(byte);
    for (int64_t i = first; i < end; ++i) out[i] = byte == 255 ? 0 : to_e4m3(std::fmin(std::fmax(row[i - first] / scale, -448.0f), 448.0f));
    scales[first / ENTRY_GROUP] = byte;
  }
  for (int64_t i = 0; i < 2 * r; ++i) {
    const uint16_t v = float_to_bf16(x[plain + i]);
    std::memcpy(out + plain + 2 * i, &v, 2);
  }
}

// out: BF16 [c].
inline void decode_entry(const uint8_t* in, int64_t c, int64_t r, uint16_t* out) {
  typedef uint8_t B __attribute__((vector_size(W), aligned(1), may_alias));
  const int64_t plain = c - 2 * r;
  const uint8_t* scales = in + plain + 4 * r;
  for (int64_t first = 0; first < plain; first += ENTRY_GROUP) {
    const int64_t end = first + ENTRY_GROUP < plain ? first + ENTRY_GROUP : plain;
    const F scale = splat(scale_of(scales[first / ENTRY_GROUP]));
    for (int64_t i = first; i < end; i += W) {
      uint8_t part[W] = {};
      const int n = int(end - i < W ? end - i : W);
      if (n < W) std::memcpy(part, in + i, n);
      const I code = __builtin_convertvector(*reinterpret_cast<const B*>(n < W ? part : in + i), I);
      // exponent and mantissa moved to their places in an FP32 number, whose exponent is then 120 too small
      const F v = (F)((code & 0x7f) << 20 | (code & 0x80) << 24) * splat(0x1p120f) * scale;
      store_some(out + i, v, n);
    }
  }
  std::memcpy(out + plain, in + plain, 4 * r);
}

// x: what round_index left.
inline void encode_key(const float* x, int64_t n, uint8_t* out) {
  static constexpr uint8_t CODES[13] = {0, 1, 2, 3, 4, 0, 5, 0, 6, 0, 0, 0, 7};  // of a value by its double
  for (int64_t first = 0; first < n; first += 32) {
    const int64_t end = first + 32 < n ? first + 32 : n;
    float top = 6.0f * 0x1p-126f;
    for (int64_t i = first; i < end; ++i) {
      const float a = std::fabs(x[i]);
      top = a > top || a != a ? a : top;
    }
    const uint8_t byte = scale_byte(top, float(1.0 / 6.0));
    const float scale = scale_of(byte);
    out[n / 2 + first / 32] = byte;
    for (int64_t i = first; i < end; i += 2) {
      const auto code = [&](float v) {
        return byte == 255 ? 0 : CODES[int(2.0f * std::fabs(v / scale))] | (std::signbit(v) ? 8 : 0);
      };
      out[i / 2] = uint8_t(code(x[i]) | code(x[i + 1]) << 4);
    }
  }
}

inline int64_t key_group(int64_t n) { return n < 32 ? n : 32; }

// Twice the values of a group, first its even channels, then its odd ones.
inline void key_codes(const uint8_t* key, int64_t group, int8_t* out) {
  static constexpr int8_t TWICE[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
  for (int64_t i = 0; i < group / 2; ++i) out[i] = TWICE[key[i] & 15], out[group / 2 + i] = TWICE[key[i] >> 4];
}

}  // namespace FB_LEVEL
