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

constexpr int64_t KEYS = 8;  // in FP4 that are scored together
constexpr int64_t AHEAD = 64;  // so many keys earlier memory is asked for one

#if defined(__AVX2__)
void transpose8(__m256i* v) {
  __m256i t[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_epi32(v[i], v[i + 1]);
    t[i + 1] = _mm256_unpackhi_epi32(v[i], v[i + 1]);
  }
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; ++j) {
      v[i + 2 * j] = _mm256_unpacklo_epi64(t[i + j], t[i + 2 + j]);
      v[i + 2 * j + 1] = _mm256_unpackhi_epi64(t[i + j], t[i + 2 + j]);
    }
  for (int i = 0; i < 4; ++i) {
    const __m256i a = v[i], b = v[i + 4];
    v[i] = _mm256_permute2x128_si256(a, b, 0x20), v[i + 4] = _mm256_permute2x128_si256(a, b, 0x31);
  }
}
#endif

// Scores of KEYS keys in FP4. Sums over the channels of a group are exact; groups and heads are added in order.
void score_fp4(const int8_t* codes, const float* scales, [[maybe_unused]] const int32_t* sums, const float* gate, int64_t heads,
               int64_t dim, const uint8_t* const* keys, float* out) {
  const int64_t group = key_group(dim), groups = dim / group;
#if defined(__AVX2__)
  constexpr int64_t GROUPS = 8;
  if (group == 32 && groups <= GROUPS) {
    // twice the values and 12, so that they are not negative: then bytes of a key and of a query multiply in pairs
    const __m128i table = _mm_setr_epi8(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0), low = _mm_set1_epi8(15);
    __m256i words[GROUPS][8];  // [g][i]: channels 4i .. 4i+3 of group g, a key to a lane
    __m256 key_scales[GROUPS];
    for (int64_t g = 0; g < groups; ++g) {
      alignas(32) float scale[KEYS];
      for (int j = 0; j < KEYS; ++j) {
        const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(keys[j] + 16 * g));
        const __m128i even = _mm_shuffle_epi8(table, _mm_and_si128(x, low)), odd = _mm_shuffle_epi8(table, _mm_and_si128(_mm_srli_epi16(x, 4), low));
        words[g][j] = _mm256_set_m128i(odd, even);
        scale[j] = scale_of(keys[j][dim / 2 + g]);
      }
      transpose8(words[g]);
      key_scales[g] = _mm256_load_ps(scale);
    }
    const __m256i ones = _mm256_set1_epi16(1);
    __m256 total = _mm256_setzero_ps();
    for (int64_t h = 0; h < heads; ++h) {
      __m256 dot = _mm256_setzero_ps();
      for (int64_t g = 0; g < groups; ++g) {
        const int8_t* q = codes + h * dim + 32 * g;
        __m256i sum = _mm256_setzero_si256();  // of at most 16 products of at most 288 in each half of a lane
        for (int i = 0; i < 8; ++i) {
          int32_t four;
          std::memcpy(&four, q + 4 * i, 4);
          sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(words[g][i], _mm256_set1_epi32(four)));
        }
        const __m256i whole = _mm256_sub_epi32(_mm256_madd_epi16(sum, ones), _mm256_set1_epi32(sums[h * groups + g]));
        dot = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole), _mm256_mul_ps(_mm256_set1_ps(scales[h * groups + g]), key_scales[g]), dot);
      }
      // of a NaN and 0 the maximum takes its second argument
      total = _mm256_fmadd_ps(_mm256_set1_ps(gate[h]), _mm256_max_ps(_mm256_setzero_ps(), dot), total);
    }
    _mm256_storeu_ps(out, _mm256_add_ps(total, _mm256_setzero_ps()));
    return;
  }
#endif
  for (int64_t j = 0; j < KEYS; ++j) {
    float total = 0;
    for (int64_t h = 0; h < heads; ++h) {
      float dot = 0;
      for (int64_t g = 0; g < groups; ++g) {
        int8_t key[32];
        key_codes(keys[j] + group / 2 * g, group, key);
        int32_t whole = 0;
        for (int64_t i = 0; i < group; ++i) whole += int32_t(codes[h * dim + group * g + i]) * key[i];
        dot += float(whole) * (scales[h * groups + g] * scale_of(keys[j][dim / 2 + g]));
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
  for (int64_t w = task.key; w < end; w += KEYS) {
    const uint8_t* keys[KEYS];  // beyond the last: nobody reads those scores
    for (int64_t j = 0; j < KEYS; ++j) keys[j] = entry<uint8_t>(m, p, b.places.keys, per_block, bytes, std::min(w + j, end - 1));
    // a block's keys are a kilobyte among many: no prefetcher guesses where the next ones lie
    for (int64_t j = w + AHEAD; j < std::min(w + AHEAD + KEYS, end); j += 2)
      __builtin_prefetch(entry<uint8_t>(m, p, b.places.keys, per_block, bytes, j));
    for (int64_t i = task.first; i < task.end; ++i) {
      const Query& query = queries[i];
      const int64_t left = std::min(std::min(end, query.visible) - w, KEYS), at = query.row * heads;
      if (left <= 0) continue;
      float found[KEYS];
      score_fp4(q.codes + at * dim, q.scales + at * groups, q.sums + at * groups, gate + at, heads, dim, keys, found);
      std::copy(found, found + left, scores + query.at + w);
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

// The k highest of n > k scores in ascending order of their indices; of equal ones the earlier. The k-th highest
// value is found digit by digit: 11, 11 and 10 bits. After the first digit only those are looked at that may be it.
void top_k(const float* scores, int64_t n, int64_t k, int32_t* picks) {
  constexpr int FIRST = 11;
  int32_t count[2][1 << FIRST] = {};  // even and odd ones apart: neighbours often count in the same place
  for (int64_t i = 0; i < n; ++i) ++count[i & 1][ordered(scores[i]) >> (32 - FIRST)];
  uint32_t digit = (1u << FIRST) - 1;
  int64_t wanted = k;  // of those that begin with the prefix
  for (; count[0][digit] + count[1][digit] < wanted; --digit) wanted -= count[0][digit] + count[1][digit];
  thread_local std::vector<int32_t> candidates;
  candidates.clear();
  for (int64_t i = 0; i < n; ++i)
    if (ordered(scores[i]) >> (32 - FIRST) >= digit) candidates.push_back(int32_t(i));
  uint32_t prefix = digit << (32 - FIRST), mask = ((1u << FIRST) - 1) << (32 - FIRST);
  for (const auto& [shift, bits] : {std::pair{10, 11}, std::pair{0, 10}}) {
    std::fill(count[0], count[0] + (1 << bits), 0);
    for (const int32_t i : candidates) {
      const uint32_t x = ordered(scores[i]);
      if ((x & mask) == prefix) ++count[0][x >> shift & ((1u << bits) - 1)];
    }
    for (digit = (1u << bits) - 1; count[0][digit] < wanted; --digit) wanted -= count[0][digit];
    prefix |= digit << shift;
    mask |= ((1u << bits) - 1) << shift;
  }
  int64_t found = 0;
  for (const int32_t i : candidates) {
    const uint32_t x = ordered(scores[i]);
    if (x > prefix || (x == prefix && wanted-- > 0)) picks[found++] = i;
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
