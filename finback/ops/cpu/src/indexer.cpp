// Which entries does a CSA token read? (report 2.3.1) The topk with the highest scores; of equal ones the earlier.
//
// Keys are scored W at a time, one to a lane, so a score sums over channels and heads in the order of both. Queries
// go in blocks, so that keys are laid out for the lanes once for all of them; a long scan is cut in ranges of keys.
#include <algorithm>
#include <vector>

#include "entries.h"
#include "plan.h"
#include "rows.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

constexpr int64_t QUERIES = 8;                // that share keys once these are laid out
constexpr int64_t RANGE = 1024;               // keys in one task
constexpr int64_t WAVE = int64_t(1) << 24;    // scores that exist at a time
constexpr int PANELS = 2;

struct Query {
  const Piece* piece;
  int64_t row, visible, at;  // at: where its scores begin
};

struct Task {
  int64_t first, end;  // queries
  int64_t key;         // its range begins here
};

// Scores of PANELS * W keys laid out as [dim][PANELS * W].
void score(const float* q, const float* gate, int64_t heads, int64_t dim, const float* panel, F* out) {
  F total[PANELS] = {};
  int64_t h = 0;
  for (; h + 4 <= heads; h += 4) {
    F acc[4][PANELS] = {};
    for (int64_t d = 0; d < dim; ++d)
      for (int v = 0; v < PANELS; ++v) {
        const F key = load(panel + (d * PANELS + v) * W);
        for (int i = 0; i < 4; ++i) acc[i][v] = fma(splat(q[(h + i) * dim + d]), key, acc[i][v]);
      }
    for (int i = 0; i < 4; ++i)
      for (int v = 0; v < PANELS; ++v) total[v] = fma(splat(gate[h + i]), max(acc[i][v], F{}), total[v]);
  }
  for (; h < heads; ++h) {
    F acc[PANELS] = {};
    for (int64_t d = 0; d < dim; ++d)
      for (int v = 0; v < PANELS; ++v) acc[v] = fma(splat(q[h * dim + d]), load(panel + (d * PANELS + v) * W), acc[v]);
    for (int v = 0; v < PANELS; ++v) total[v] = fma(splat(gate[h]), max(acc[v], F{}), total[v]);
  }
  for (int v = 0; v < PANELS; ++v) out[v] = total[v] + 0.0f;  // -0 becomes 0: they are equal and must tie
}

// Channel d of W rows at panel[d * PANELS * W], one row to a lane.
template <class Row>
void lay_out(const Row* row, int64_t dim, float* panel) {
  int64_t d = 0;
  for (; d + W <= dim; d += W) {
    F v[W];
    for (int j = 0; j < W; ++j) v[j] = load(row[j] + d);
    transpose(v);
    for (int j = 0; j < W; ++j) store(panel + (d + j) * PANELS * W, v[j]);
  }
  for (; d < dim; ++d)
    for (int j = 0; j < W; ++j) {
      if constexpr (sizeof(*row[j]) == 2) panel[d * PANELS * W + j] = bf16_to_float(row[j][d]);
      else panel[d * PANELS * W + j] = row[j][d];
    }
}

template <class Key>
void score_range(const finback::Model& m, const finback::Block& b, const std::vector<Query>& queries, const Task& task, const float* q,
                 const float* gate, float* scores) {
  const int64_t dim = m.index_dim, heads = m.index_heads, per_block = m.block_tokens / b.ratio;
  const Piece& p = *queries[task.first].piece;
  const int64_t end = std::min(queries[task.end - 1].visible, task.key + RANGE);  // the last query sees the most
  thread_local std::vector<float> panel;
  panel.resize(dim * PANELS * W);
  for (int64_t w = task.key; w < end; w += PANELS * W) {
    const int64_t keys = std::min<int64_t>(PANELS * W, end - w);
    for (int v = 0; v < PANELS && v * W < keys; ++v) {
      const Key* row[W];
      for (int j = 0; j < W; ++j) {
        const int64_t i = std::min<int64_t>(v * W + j, keys - 1);  // beyond the last: nobody reads those scores
        row[j] = entry<Key>(m, p, b.places.keys, per_block, dim, w + i);
      }
      lay_out(row, dim, panel.data() + v * W);
    }
    for (int64_t i = task.first; i < task.end; ++i) {
      const Query& query = queries[i];
      F found[PANELS];
      score(q + query.row * heads * dim, gate + query.row * heads, heads, dim, panel.data(), found);
      for (int v = 0; v < PANELS; ++v) {
        const int64_t left = std::min(end, query.visible) - w - v * W;
        if (left > 0) store(scores + query.at + w + v * W, found[v], int(std::min<int64_t>(left, W)));
      }
    }
  }
}

// Queries in FP4 as integers: twice their values [rows, heads, dim] in the order of `key_codes`, a quarter of their scales
// and twelve times their sums, both by group.
struct Queries {
  const int8_t* codes;
  const float* scales;
  const int32_t* sums;
};

#if defined(__AVX2__)
constexpr int64_t KEYS = W;  // in FP4 that are scored together, a key to a lane
#else
constexpr int64_t KEYS = 4;
#endif
constexpr int64_t AHEAD = 128;  // so many keys earlier memory is asked for one

#if defined(__AVX2__)
#if defined(__AVX512F__)
typedef __m512i Bytes;
#define FB_OP(name) _mm512_##name
#else
typedef __m256i Bytes;
#define FB_OP(name) _mm256_##name
#endif

// Bytes at .. at+15 of W rows as four vectors: [i] has bytes 4i .. 4i+3 of row j in lane j.
inline void four_words(const uint8_t* at, int64_t stride, Bytes* words) {
  const auto part = [&](int j) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + j * stride)); };
  Bytes t[4];
  for (int j = 0; j < 4; ++j) {
#if defined(__AVX512F__)
    t[j] = _mm512_inserti32x4(_mm512_castsi128_si512(part(j)), part(j + 4), 1);
    t[j] = _mm512_inserti32x4(_mm512_inserti32x4(t[j], part(j + 8), 2), part(j + 12), 3);
#else
    t[j] = _mm256_set_m128i(part(j + 4), part(j));
#endif
  }
  const Bytes a = FB_OP(unpacklo_epi32)(t[0], t[1]), b = FB_OP(unpackhi_epi32)(t[0], t[1]);
  const Bytes c = FB_OP(unpacklo_epi32)(t[2], t[3]), d = FB_OP(unpackhi_epi32)(t[2], t[3]);
  words[0] = FB_OP(unpacklo_epi64)(a, c), words[1] = FB_OP(unpackhi_epi64)(a, c);
  words[2] = FB_OP(unpacklo_epi64)(b, d), words[3] = FB_OP(unpackhi_epi64)(b, d);
}

// KEYS keys of whole groups of 32 channels, decoded once for all queries that read them.
struct Panel {
  static constexpr int64_t GROUPS = 4;  // longer keys go the scalar way
  Bytes words[GROUPS][8];               // four channels to a lane in the order of `key_codes`; 12 is added, so that none is negative
  F scales[GROUPS];

  void decode(const uint8_t* keys, int64_t groups) {
    const Bytes table = FB_OP(setr_epi32)(
#if defined(__AVX512F__)
        0x0f0e0d0c, 0x18141210, 0x090a0b0c, 0x00040608, 0x0f0e0d0c, 0x18141210, 0x090a0b0c, 0x00040608,
#endif
        0x0f0e0d0c, 0x18141210, 0x090a0b0c, 0x00040608, 0x0f0e0d0c, 0x18141210, 0x090a0b0c, 0x00040608);  // 12 + twice the values
    const Bytes low = FB_OP(set1_epi8)(15);
    const int64_t stride = 17 * groups;
    Bytes four[4];
    four_words(keys + stride - 16, stride, four);  // the last word ends with the scales
    for (int64_t g = 0; g < groups; ++g) {
      const I byte = (I)FB_OP(srli_epi32)(four[3], int(8 * (4 - groups + g))) & 255;
      scales[g] = (F)(byte == 0 ? I{} + 0x00400000 : byte == 255 ? I{} + 0x7fc00000 : byte << 23);
    }
    for (int64_t g = 0; g < groups; ++g) {
      four_words(keys + 16 * g, stride, four);
      for (int i = 0; i < 4; ++i) {
        words[g][i] = FB_OP(shuffle_epi8)(table, (Bytes)((I)four[i] & (I)low));
        words[g][4 + i] = FB_OP(shuffle_epi8)(table, (Bytes)((I)FB_OP(srli_epi16)(four[i], 4) & (I)low));
      }
    }
  }
};

// Scores of a decoded panel, in the order of the scalar way below: dots[h] gains group after group, while a group's keys stay in registers.
F score_decoded(const int8_t* codes, const float* scales, const int32_t* sums, const float* gate, int64_t heads, int64_t groups,
                const Panel& panel, F* dots) {
  for (int64_t g = 0; g < groups; ++g) {
    Bytes key[8];
    for (int i = 0; i < 8; ++i) key[i] = panel.words[g][i];
    for (int64_t h = 0; h < heads; ++h) {
      const int8_t* q = codes + (h * groups + g) * 32;
      Bytes sum = (Bytes)I{};
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) {
        int32_t four;
        std::memcpy(&four, q + 4 * i, 4);
#if defined(__AVX512VNNI__)
        sum = _mm512_dpbusd_epi32(sum, key[i], _mm512_set1_epi32(four));
#else
        sum = FB_OP(add_epi16)(sum, FB_OP(maddubs_epi16)(key[i], FB_OP(set1_epi32)(four)));  // 16 products of at most 288
#endif
      }
#if !defined(__AVX512VNNI__)
      sum = FB_OP(madd_epi16)(sum, FB_OP(set1_epi16)(1));
#endif
      const F whole = __builtin_convertvector((I)sum - sums[h * groups + g], F);
      dots[h] = fma(whole, splat(scales[h * groups + g]) * panel.scales[g], g ? dots[h] : F{});
    }
  }
  F total{};
  for (int64_t h = 0; h < heads; ++h) total = fma(splat(gate[h]), max(F{}, dots[h]), total);  // a NaN stays: of it and 0 the maximum is the second
  return total + 0.0f;
}
#undef FB_OP
#endif

// Scores of KEYS keys. Sums over the channels of a group are exact; groups and heads are added in order.
void score_fp4(const int8_t* codes, const float* scales, const float* gate, int64_t heads, int64_t dim, const uint8_t* keys, float* out) {
  const int64_t group = key_group(dim), groups = dim / group;
  for (int64_t j = 0; j < KEYS; ++j, keys += key_bytes(dim)) {
    float total = 0;
    for (int64_t h = 0; h < heads; ++h) {
      float dot = 0;
      for (int64_t g = 0; g < groups; ++g) {
        int8_t key[32];
        key_codes(keys + group / 2 * g, group, key);
        int32_t whole = 0;
        for (int64_t i = 0; i < group; ++i) whole += int32_t(codes[h * dim + group * g + i]) * key[i];
        dot += float(whole) * (scales[h * groups + g] * scale_of(keys[dim / 2 + g]));
      }
      total += gate[h] * (dot < 0 ? 0.0f : dot);
    }
    out[j] = total + 0.0f;
  }
}

void score_range_fp4(const finback::Model& m, const finback::Block& b, const std::vector<Query>& queries, const Task& task, const Queries& q,
                     const float* gate, float* scores) {
  const int64_t dim = m.index_dim, heads = m.index_heads, per_block = m.block_tokens / b.ratio, groups = dim / key_group(dim);
  const Piece& p = *queries[task.first].piece;
  const int64_t end = std::min(queries[task.end - 1].visible, task.key + RANGE), bytes = key_bytes(dim);
  const auto at = [&](int64_t i) { return entry<const uint8_t>(m, p, b.places.keys, per_block, bytes, i); };
  const bool together = per_block % KEYS == 0;  // keys that are scored together, those beyond the last as well, lie in one block
  std::vector<uint8_t> copy(together ? 0 : KEYS * bytes);
#if defined(__AVX2__)
  Panel panel;
  const bool decoded = key_group(dim) == 32 && groups <= Panel::GROUPS;
  std::vector<F> dots(heads);
#endif
  for (int64_t w = task.key; w < end; w += KEYS) {
    const uint8_t* keys = copy.data();
    if (together) keys = at(w);
    else
      for (int64_t j = 0; j < KEYS && w + j < end; ++j) std::memcpy(copy.data() + j * bytes, at(w + j), bytes);
    // a block's keys are a kilobyte among many: no prefetcher guesses where the next ones lie
    if (w + AHEAD < end) {
      const uint8_t* ahead = at(w + AHEAD);
      for (int64_t byte = 0; byte < KEYS * bytes; byte += 64) __builtin_prefetch(ahead + byte);
    }
#if defined(__AVX2__)
    if (decoded) panel.decode(keys, groups);
#endif
    for (int64_t i = task.first; i < task.end; ++i) {
      const Query& query = queries[i];
      const int64_t left = std::min(end, query.visible) - w, row = query.row * heads;
      if (left <= 0) continue;
      float* out = scores + query.at + w;
#if defined(__AVX2__)
      if (decoded) {
        const F found = score_decoded(q.codes + row * dim, q.scales + row * groups, q.sums + row * groups, gate + row, heads, groups, panel, dots.data());
        if (left >= KEYS) store(out, found);
        else store(out, found, int(left));
        continue;
      }
#endif
      float found[KEYS];
      score_fp4(q.codes + row * dim, q.scales + row * groups, gate + row, heads, dim, keys, found);
      std::copy(found, found + std::min(left, KEYS), out);
    }
  }
}

// q [rows, heads, dim] as round_index left it.
Queries as_integers(finback::Model& m, const float* q, int64_t rows) {
  const int64_t dim = m.index_dim, group = key_group(dim), groups = dim / group, count = rows * m.index_heads;
  int8_t* codes = m.scratch.index_codes.get<int8_t>(count * dim);
  float* scales = m.scratch.index_scales.get<float>(count * groups);
  int32_t* sums = m.scratch.index_sums.get<int32_t>(count * groups);
  finback::parallel_rows(count, 64, [&](int64_t first, int64_t end) {
    thread_local std::vector<uint8_t> packed;
    packed.resize(key_bytes(dim));
    for (int64_t i = first; i < end; ++i) {
      encode_key(q + i * dim, dim, packed.data());
      for (int64_t g = 0; g < groups; ++g) {
        int8_t* to = codes + i * dim + g * group;
        key_codes(packed.data() + g * group / 2, group, to);
        scales[i * groups + g] = 0.25f * scale_of(packed[dim / 2 + g]);
        int32_t sum = 0;
        for (int64_t c = 0; c < group; ++c) sum += to[c];
        sums[i * groups + g] = 12 * sum;
      }
    }
  });
  return {codes, scales, sums};
}

// Floats in the order of unsigned integers.
uint32_t ordered(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

struct Cut {
  uint32_t value;  // the k-th highest
  int64_t equal;   // so many of those equal to it are among the k highest
};

// Found digit by digit, 11, 11 and 10 bits; reorders `values`.
Cut cut(std::vector<uint32_t>& values, int64_t k) {
  Cut found{0, k};
  for (const auto& [shift, bits] : {std::pair{21, 11}, std::pair{10, 11}, std::pair{0, 10}}) {
    const uint32_t last = (1u << bits) - 1;
    int32_t count[2][1 << 11] = {};  // even and odd ones apart: neighbours often count in the same place
    for (size_t i = 0; i < values.size(); ++i) ++count[i & 1][values[i] >> shift & last];
    uint32_t digit = last;
    for (; count[0][digit] + count[1][digit] < found.equal; --digit) found.equal -= count[0][digit] + count[1][digit];
    found.value |= digit << shift;
    values.erase(std::remove_if(values.begin(), values.end(), [&](uint32_t x) { return x >> shift != found.value >> shift; }), values.end());
  }
  return found;
}

// Adds the indices of scores not below `least`.
void not_below(const float* scores, int64_t n, float least, std::vector<int32_t>& indices) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + W <= n; i += W)
    for (uint32_t left = _mm512_cmp_ps_mask(load(scores + i), splat(least), _CMP_NLT_UQ); left; left &= left - 1)
      indices.push_back(int32_t(i + __builtin_ctz(left)));
#endif
  for (; i < n; ++i)
    if (!(scores[i] < least)) indices.push_back(int32_t(i));
}

// The k highest of n > k scores in ascending order of their indices; of equal ones the earlier. The k-th highest of a part
// is not above the k-th highest of all, so a long list is first thinned out by one of SAMPLE scores.
void top_k(const float* scores, int64_t n, int64_t k, int32_t* picks) {
  constexpr int64_t SAMPLE = 16, RUN = 16;  // neighbours in the sample
  thread_local std::vector<uint32_t> values;
  thread_local std::vector<int32_t> candidates;
  float least = -__builtin_inff();
  if (n >= 2 * SAMPLE * std::max(k, RUN)) {
    values.clear();
    for (int64_t i = 0; i + RUN <= n; i += SAMPLE * RUN)
      for (int64_t j = i; j < i + RUN; ++j) values.push_back(ordered(scores[j]));
    const uint32_t value = cut(values, k).value, bits = value & 0x80000000u ? value & 0x7fffffffu : ~value;
    std::memcpy(&least, &bits, 4);
  }
  candidates.clear();
  not_below(scores, n, least, candidates);
  values.clear();
  for (const int32_t i : candidates) values.push_back(ordered(scores[i]));
  Cut last = cut(values, k);
  int64_t found = 0;
  for (const int32_t i : candidates) {
    const uint32_t x = ordered(scores[i]);
    if (x > last.value || (x == last.value && last.equal-- > 0)) picks[found++] = i;
  }
}

}  // namespace

void select(finback::Model& m, const finback::Block& b, const Piece* pieces, int64_t count, const float* q, const float* gate,
            int32_t* picks, int32_t* picked) {
  std::vector<Query> queries;
  for (const Piece* p = pieces; p < pieces + count; ++p)
    for (int64_t i = 0; i < p->length; ++i) {
      const int64_t row = p->first + i, visible = (p->start + i + 1) / b.ratio;
      picked[row] = int32_t(std::min(visible, m.topk));
      if (visible > m.topk) queries.push_back({p, row, visible, 0});
      else
        for (int64_t w = 0; w < visible; ++w) picks[row * m.topk + w] = int32_t(w);
    }
  if (queries.empty()) return;
  const bool fp4 = m.cache == finback::Cache::fp8 && m.fp4_index;
  const Queries integers = fp4 ? as_integers(m, q, pieces[count - 1].first + pieces[count - 1].length) : Queries{};
  for (size_t next = 0; next < queries.size();) {
    std::vector<Task> tasks;
    const size_t began = next;
    int64_t size = 0;
    while (next < queries.size() && (next == began || size + queries[next].visible <= WAVE)) {
      const size_t first = next;
      const Piece* p = queries[next].piece;
      for (; next < queries.size() && queries[next].piece == p && int64_t(next - first) < QUERIES; ++next) {
        queries[next].at = size;
        size += queries[next].visible;
      }
      for (int64_t key = 0; key < queries[next - 1].visible; key += RANGE) tasks.push_back({int64_t(first), int64_t(next), key});
    }
    float* scores = m.scratch.scores.get<float>(size);
    finback::parallel(int64_t(tasks.size()), [&](int64_t i) {
      if (m.cache == finback::Cache::fp32) score_range<float>(m, b, queries, tasks[i], q, gate, scores);
      else if (fp4) score_range_fp4(m, b, queries, tasks[i], integers, gate, scores);
      else score_range<uint16_t>(m, b, queries, tasks[i], q, gate, scores);
    });
    finback::parallel(int64_t(next - began), [&](int64_t i) {
      const Query& query = queries[began + i];
      top_k(scores + query.at, query.visible, m.topk, picks + query.row * m.topk);
    });
  }
}

}  // namespace FB_LEVEL
