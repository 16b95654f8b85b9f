// How does a token read the past? (report 2.3.3) One softmax over its window, its entries and a sink.
//
// One task is a token and some of its heads. All orders of summation follow from the token's own list of keys,
// window first, then entries, each in the order of their positions: nothing depends on who shares the call.
#include <algorithm>
#include <vector>

#include "entries.h"
#include "plan.h"
#include "rows.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

constexpr int HEADS = 4;         // heads that share a loaded key
constexpr int KEYS = W / HEADS;  // keys that share a loaded head; their products fill one vector
constexpr int64_t TILE = 128;    // keys that stay in the first cache while all heads read them

// logits[h, i] = q_h . key_i for R heads; i in begin..end-1.
template <int R, class Key>
void dots(const float* q, int64_t c, const Key* const* keys, int64_t begin, int64_t end, float* logits, int64_t stride) {
  for (int64_t i = begin; i < end; i += KEYS) {
    const Key* key[KEYS];
    for (int j = 0; j < KEYS; ++j) key[j] = keys[std::min(i + j, end - 1)];
    F acc[W] = {};
    int64_t d = 0;
    for (; d + W <= c; d += W)
      for (int j = 0; j < KEYS; ++j) {
        const F k = load(key[j] + d);
        for (int h = 0; h < R; ++h) acc[h * KEYS + j] = fma(load(q + h * c + d), k, acc[h * KEYS + j]);
      }
    if (d < c)
      for (int j = 0; j < KEYS; ++j) {
        const F k = load(key[j] + d, int(c - d));
        for (int h = 0; h < R; ++h) acc[h * KEYS + j] = fma(load(q + h * c + d, int(c - d)), k, acc[h * KEYS + j]);
      }
    float found[W];
    store(found, sums(acc));
    for (int h = 0; h < R; ++h)
      for (int j = 0; j < KEYS && i + j < end; ++j) logits[h * stride + i + j] = found[h * KEYS + j];
  }
}

// out[h, d ..] += sum_i p[h, i] key_i[d ..] for R heads and V vectors of channels; `lanes` < W: so many channels.
template <int R, int V, class Key>
void mix(const float* p, int64_t stride, const Key* const* keys, int64_t begin, int64_t end, int64_t d, float* out, int64_t c, int lanes = W) {
  F acc[R][V] = {};
  for (int h = 0; h < R && begin; ++h)
    for (int v = 0; v < V; ++v) acc[h][v] = lanes == W ? load(out + h * c + d + v * W) : load(out + h * c + d, lanes);
  for (int64_t i = begin; i < end; ++i)
    for (int v = 0; v < V; ++v) {
      const F key = lanes == W ? load(keys[i] + d + v * W) : load(keys[i] + d, lanes);
      for (int h = 0; h < R; ++h) acc[h][v] = fma(splat(p[h * stride + i]), key, acc[h][v]);
    }
  for (int h = 0; h < R; ++h)
    for (int v = 0; v < V; ++v) {
      if (lanes == W) store(out + h * c + d + v * W, acc[h][v]);
      else store(out + h * c + d, acc[h][v], lanes);
    }
}

template <int R, class Key>
void mix_all(const float* p, int64_t stride, const Key* const* keys, int64_t begin, int64_t end, float* out, int64_t c) {
  int64_t d = 0;
  for (; d + 4 * W <= c; d += 4 * W) mix<R, 4>(p, stride, keys, begin, end, d, out, c);
  for (; d + W <= c; d += W) mix<R, 1>(p, stride, keys, begin, end, d, out, c);
  if (d < c) mix<R, 1>(p, stride, keys, begin, end, d, out, c, int(c - d));
}

// logits[0 .. n-1] become exp(logit - max); returns their sum and the sink's.
float exponentials(float* logits, int64_t n, float sink) {
  const float low = -__builtin_inff();
  F top = splat(sink), total{};
  int64_t i = 0;
  for (; i + W <= n; i += W) top = max(top, load(logits + i));
  if (i < n) top = max(top, load(logits + i, int(n - i), low));
  const F m = splat(largest(top));
  for (i = 0; i + W <= n; i += W) {
    const F e = exp(load(logits + i) - m);
    store(logits + i, e);
    total = total + e;
  }
  if (i < n) {
    const F e = exp(load(logits + i, int(n - i), low) - m);
    store(logits + i, e, int(n - i));
    total = total + e;
  }
  return sum(total) + exp(splat(sink) - m)[0];
}

// Calls f<R>(first head) for groups of at most HEADS of the heads.
template <class Body>
void by_heads(int64_t heads, const Body& f) {
  int64_t h = 0;
  for (; h + HEADS <= heads; h += HEADS) f.template operator()<HEADS>(h);
  switch (heads - h) {
    case 3: f.template operator()<3>(h); break;
    case 2: f.template operator()<2>(h); break;
    case 1: f.template operator()<1>(h); break;
  }
}

// One token, `heads` heads: q and out [heads, c]; logits: [heads, n].
template <class Key>
void attend_token(const float* q, int64_t heads, int64_t c, const Key* const* keys, int64_t n, const float* sink, float* logits,
                  float* out) {
  for (int64_t i = 0; i < n; i += TILE)
    by_heads(heads, [&]<int R>(int64_t h) { dots<R>(q + h * c, c, keys, i, std::min(i + TILE, n), logits + h * n, n); });
  float totals[64];
  for (int64_t first = 0; first < heads; first += 64) {
    const int64_t end = std::min<int64_t>(heads, first + 64);
    for (int64_t h = first; h < end; ++h) totals[h - first] = exponentials(logits + h * n, n, sink[h]);
    for (int64_t i = 0; i < n; i += TILE)
      by_heads(end - first, [&]<int R>(int64_t h) {
        mix_all<R>(logits + (first + h) * n, n, keys, i, std::min(i + TILE, n), out + (first + h) * c, c);
      });
    for (int64_t h = first; h < end; ++h) {
      const float scale = 1.0f / totals[h - first];
      for (int64_t d = 0; d < c; ++d) out[h * c + d] *= scale;
    }
  }
}

// Decodes the entries of all pieces, one after another, to BF16 [entries, c]; begins[i]: where those of piece i begin.
void decode_all(const finback::Model& m, const finback::Block& b, const Piece* pieces, int64_t count, const int64_t* begins, uint16_t* out) {
  constexpr int64_t RANGE = 128, AHEAD = 8;
  struct Part {
    const Piece* piece;
    int64_t first, end;
    uint16_t* out;
  };
  std::vector<Part> parts;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t first = 0, n = begins[i + 1] - begins[i]; first < n; first += RANGE)
      parts.push_back({pieces + i, first, std::min(first + RANGE, n), out + (begins[i] + first) * m.c});
  const int64_t per_block = m.block_tokens / b.ratio, bytes = entry_bytes(m.c, m.r);
  finback::parallel(int64_t(parts.size()), [&](int64_t task) {
    const Part& part = parts[task];
    for (int64_t i = part.first; i < part.end; ++i) {
      // few of a block's entries lie together: no prefetcher guesses where the next ones do
      const uint8_t* ahead = entry<uint8_t>(m, *part.piece, b.places.entries, per_block, bytes, std::min(i + AHEAD, part.end - 1));
      for (int64_t byte = 0; byte < bytes; byte += 64) __builtin_prefetch(ahead + byte);
      decode_entry(entry<uint8_t>(m, *part.piece, b.places.entries, per_block, bytes, i), m.c, m.r, part.out + (i - part.first) * m.c);
    }
  });
}

// The rows of some pieces, of `rows` in all. `shared`: nullptr, or entries as `decode_all` left them, piece i's from begins[i].
template <class Key>
void attend_pieces(const finback::Model& m, const finback::Block& b, const Piece* pieces, int64_t count, int64_t rows, const float* q,
                   const Key* kv, const int32_t* picks, const int32_t* picked, const float* cos, const float* sin,
                   const uint16_t* shared, const int64_t* begins, float* out) {
  const int64_t c = m.c, group = m.H / m.groups;
  // few tokens: the heads are shared among the threads as well
  const int64_t first_row = pieces[0].first, own_rows = pieces[count - 1].first + pieces[count - 1].length - first_row;
  const int64_t parts = own_rows >= 4 * finback::threads() ? 1 : std::min(finback::threads() * int64_t(2), m.H);
  const int64_t heads = parts == 1 ? m.H : ((m.H + parts - 1) / parts + HEADS - 1) / HEADS * HEADS, split = (m.H + heads - 1) / heads;
  const bool fp8 = m.cache == finback::Cache::fp8;
  const int64_t row_bytes = fp8 ? entry_bytes(c, m.r) : c * sizeof(Key);
  finback::parallel(own_rows * split, [&](int64_t task) {
    thread_local std::vector<const Key*> keys;
    thread_local std::vector<Key> decoded;
    thread_local std::vector<float> logits;
    const int64_t row = first_row + task / split, h0 = task % split * heads, h1 = std::min(h0 + heads, m.H);
    const Piece* p = std::upper_bound(pieces, pieces + count, row, [](int64_t r, const Piece& piece) { return r < piece.first; }) - 1;
    const int64_t t = p->start + row - p->first;
    keys.clear();
    const auto take = [&](const std::byte* at) { keys.push_back(reinterpret_cast<const Key*>(at)); };
    for (int64_t s = std::max<int64_t>(t - m.window + 1, 0); s <= t; ++s)
      if (s < p->start) take(p->ring<std::byte>(b.places.window) + s % m.window * row_bytes);
    const int64_t old = int64_t(keys.size());
    for (int64_t s = std::max({t - m.window + 1, int64_t(0), p->start}); s <= t; ++s) keys.push_back(kv + (p->first + s - p->start) * c);
    const int64_t own = int64_t(keys.size());
    if (b.ratio) {
      const int64_t per_block = m.block_tokens / b.ratio, visible = b.csa ? picked[row] : (t + 1) / b.ratio;
      const uint16_t* entries = shared ? shared + begins[p - pieces] * c : nullptr;
      for (int64_t i = 0; i < visible; ++i)
        take(entries ? reinterpret_cast<const std::byte*>(entries + i * c)
                     : entry<std::byte>(m, *p, b.places.entries, per_block, row_bytes, b.csa ? picks[row * m.topk + i] : i));
    }
    const int64_t n = int64_t(keys.size()), coded = shared ? old : n;
    if (fp8) {
      if constexpr (sizeof(Key) == 2) {
        decoded.resize(std::max(decoded.size(), size_t(coded * c)));
        for (int64_t i = 0; i < coded; ++i)
          if (i < old || i >= own) {
            decode_entry(reinterpret_cast<const uint8_t*>(keys[i]), c, m.r, decoded.data() + i * c);
            keys[i] = decoded.data() + i * c;
          }
      }
    }
    logits.resize(std::max(logits.size(), size_t((h1 - h0) * n)));
    for (int64_t h = h0; h < h1;) {  // heads of one group lie together in `out`
      const int64_t end = std::min(h1, (h / group + 1) * group);
      float* o = out + ((h / group * rows + row) * group + h % group) * c;
      attend_token(q + (row * m.H + h) * c, end - h, c, keys.data(), n, b.sink + h, logits.data(), o);
      for (int64_t i = 0; i < end - h; ++i) rotate(o + (i + 1) * c - 2 * m.r, cos + row * m.r, sin + row * m.r, m.r, -1.0f);
      h = end;
    }
  });
}

template <class Key>
void attend_all(finback::Model& m, const finback::Block& b, const Piece* pieces, int64_t count, int64_t rows, const float* q, const Key* kv,
                const int32_t* picks, const int32_t* picked, const float* cos, const float* sin, float* out) {
  constexpr int64_t WAVE = int64_t(1) << 24;  // decoded numbers that exist at a time, one piece's at least
  if (m.cache != finback::Cache::fp8 || b.csa || !b.ratio)
    return attend_pieces(m, b, pieces, count, rows, q, kv, picks, picked, cos, sin, nullptr, nullptr, out);
  for (int64_t first = 0; first < count;) {
    std::vector<int64_t> begins{0};
    int64_t end = first;
    for (; end < count; ++end) {
      const int64_t next = begins.back() + (pieces[end].start + pieces[end].length) / b.ratio;
      if (end > first && next * m.c > WAVE) break;
      begins.push_back(next);
    }
    uint16_t* shared = m.scratch.entries.get<uint16_t>(begins.back() * m.c);
    decode_all(m, b, pieces + first, end - first, begins.data(), shared);
    attend_pieces(m, b, pieces + first, end - first, rows, q, kv, picks, picked, cos, sin, shared, begins.data(), out);
    first = end;
  }
}

}  // namespace

void attend(finback::Model& m, const finback::Block& b, const Piece* pieces, int64_t count, int64_t rows, const float* q,
            const void* kv, const int32_t* picks, const int32_t* picked, const float* cos, const float* sin, float* out) {
  if (m.cache == finback::Cache::fp32) attend_all(m, b, pieces, count, rows, q, static_cast<const float*>(kv), picks, picked, cos, sin, out);
  else attend_all(m, b, pieces, count, rows, q, static_cast<const uint16_t*>(kv), picks, picked, cos, sin, out);
}

}  // namespace FB_LEVEL
