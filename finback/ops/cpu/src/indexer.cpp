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
    for (int64_t i = 0; i < keys; ++i) {
      const Key* key = entry<Key>(m, p, b.places.keys, per_block, sizeof(Key) == 1 ? key_bytes(dim) : dim, w + i);
      for (int64_t d = 0; d < dim; ++d) {
        if constexpr (sizeof(Key) == 1) panel[d * PANELS * W + i] = key_channel(key, dim, d);
        else if constexpr (sizeof(Key) == 2) panel[d * PANELS * W + i] = bf16_to_float(key[d]);
        else panel[d * PANELS * W + i] = key[d];
      }
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

// Floats in the order of unsigned integers.
uint32_t ordered(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// The k highest of n > k scores in ascending order of their indices; of equal ones the earlier. The k-th highest
// value is found digit by digit: 11, 11 and 10 bits.
void top_k(const float* scores, int64_t n, int64_t k, int32_t* picks) {
  uint32_t prefix = 0, mask = 0;
  int64_t wanted = k;  // of those that begin with the prefix
  for (const auto& [shift, bits] : {std::pair{21, 11}, std::pair{10, 11}, std::pair{0, 10}}) {
    int32_t count[1 << 11] = {};
    for (int64_t i = 0; i < n; ++i) {
      const uint32_t x = ordered(scores[i]);
      if ((x & mask) == prefix) ++count[x >> shift & ((1u << bits) - 1)];
    }
    int digit = (1 << bits) - 1;
    for (; count[digit] < wanted; --digit) wanted -= count[digit];
    prefix |= uint32_t(digit) << shift;
    mask |= ((1u << bits) - 1) << shift;
  }
  for (int64_t i = 0, found = 0; found < k; ++i) {
    const uint32_t x = ordered(scores[i]);
    if (x > prefix || (x == prefix && wanted-- > 0)) picks[found++] = int32_t(i);
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
      else if (m.cache == finback::Cache::fp8 && m.fp4_index) score_range<uint8_t>(m, b, queries, tasks[i], q, gate, scores);
      else score_range<uint16_t>(m, b, queries, tasks[i], q, gate, scores);
    });
    finback::parallel(int64_t(next - began), [&](int64_t i) {
      const Query& query = queries[began + i];
      top_k(scores + query.at, query.visible, m.topk, picks + query.row * m.topk);
    });
  }
}

}  // namespace FB_LEVEL
