// How does attention run while it trains, and what are its gradients? (report 2.3.3) `ops.sparse_attention`, one segment.
//
// A block of neighbouring queries reads its keys in chunks: their windows together, then the entries CHUNK at a time, or
// query by query those that it picked. The softmax goes on from chunk to chunk with the largest logit so far. A query's
// orders of summation follow from its own list of keys (window, then entries, each ascending), so its company does not
// show in any bit. The backward pass computes the probabilities again. It adds up what keys and sinks gain in GROUPS of
// blocks that follow from the shape alone, each in order into sums of its own, and then these in order.
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels.h"
#include "threads.h"
#include "tiles.h"

namespace FB_LEVEL {
namespace {

struct Problem {
  const void *q, *window, *entries;
  const int64_t* selected;
  const float* sink;
  bool bf16;
  int64_t T, H, c, before, E, K, start, width, ratio;  // K = -1: every visible entry, not `selected`

  int64_t block() const { return block_of(H); }
  int64_t first_row(int64_t i) const { return std::max<int64_t>(before + i - width + 1, 0); }  // of query i's window
  int64_t visible(int64_t i) const { return std::min((start + i + 1) / ratio, E); }
  float scale() const { return 1.0f / std::sqrt(float(c)); }
  // The most keys in a chunk.
  int64_t capacity() const { return std::max(std::min(before + T, width + block() - 1), std::min(CHUNK, E)); }

  void unpack_row(const void* from, int64_t row, float factor, float* to) const {
    if (bf16) unpack(static_cast<const uint16_t*>(from) + row * c, c, factor, to);
    else unpack(static_cast<const float*>(from) + row * c, c, factor, to);
  }
  void store_rows(const float* from, int64_t rows, int64_t row, void* to) const {
    for (int64_t i = 0; i < rows; ++i) {
      if (bf16) store_row(static_cast<uint16_t*>(to) + (row + i) * c, from + i * pitch(c), c);
      else store_row(static_cast<float*>(to) + (row + i) * c, from + i * pitch(c), c);
    }
  }
  void check() const {
    if (K > 0 && std::any_of(selected, selected + T * K, [&](int64_t e) { return e >= E || e < -1; }))
      throw std::out_of_range("`selected` names an entry that does not exist: there are " + std::to_string(E) + "; use -1 for none");
  }
};

// Keys that queries first .. first+count-1 of a block read, each its reach. Key k is window row or entry at(k).
struct Chunk {
  Keys keys;
  const Reach* reach;
  int64_t first, count;
  bool window;
  int64_t base;
  const int64_t* names;

  int64_t at(int64_t k) const { return names ? names[k] : base + k; }
};

// The entries that query i picked, ascending.
void list_picks(const Problem& p, int64_t i, std::vector<uint64_t>& marks, std::vector<int64_t>& picks) {
  marks.assign((p.E + 63) / 64, 0);
  for (const int64_t* e = p.selected + i * p.K; e < p.selected + (i + 1) * p.K; ++e)
    if (*e >= 0) marks[*e / 64] |= uint64_t(1) << *e % 64;
  picks.clear();
  for (size_t word = 0; word < marks.size(); ++word)
    for (uint64_t left = marks[word]; left; left &= left - 1) picks.push_back(int64_t(word) * 64 + __builtin_ctzll(left));
}

// Calls visit(chunk) for all keys that queries a .. b-1 read; with `window` false not for their windows.
template <class Visit>
void each_chunk(const Problem& p, int64_t a, int64_t b, Keys keys, bool window, const Visit& visit) {
  Reach reach[MOST];
  if (window) {
    const int64_t low = p.first_row(a);
    keys.n = p.before + b - low;
    for (int64_t k = 0; k < keys.n; ++k) p.unpack_row(p.window, low + k, 1.0f, keys.rows + k * pitch(p.c));
    keys.turn(p.c);
    for (int64_t i = a; i < b; ++i) reach[i - a] = {p.first_row(i) - low, p.before + i + 1 - low};
    visit(Chunk{keys, reach, 0, b - a, true, low, nullptr});
  }
  const auto entries = [&](int64_t first, int64_t count, int64_t base, const int64_t* names) {
    for (int64_t k = 0; k < keys.n; ++k) p.unpack_row(p.entries, names ? names[k] : base + k, 1.0f, keys.rows + k * pitch(p.c));
    keys.turn(p.c);
    visit(Chunk{keys, reach, first, count, false, base, names});
  };
  if (p.K >= 0) {
    thread_local std::vector<uint64_t> marks;
    thread_local std::vector<int64_t> picks;
    for (int64_t i = a; i < b; ++i) {
      list_picks(p, i, marks, picks);
      for (int64_t base = 0; base < int64_t(picks.size()); base += CHUNK) {
        keys.n = std::min(int64_t(picks.size()) - base, CHUNK);
        reach[0] = {0, keys.n};
        entries(i - a, 1, base, picks.data() + base);
      }
    }
  } else {
    for (int64_t base = 0, first = a; base < p.visible(b - 1); base += CHUNK) {
      while (p.visible(first) <= base) ++first;
      keys.n = std::min(p.visible(b - 1) - base, CHUNK);
      for (int64_t i = first; i < b; ++i) reach[i - first] = {0, std::min(p.visible(i) - base, CHUNK)};
      entries(first - a, b - first, base, nullptr);
    }
  }
}

struct Softmax {
  float top, total;  // the largest logit so far, and the sum of exp(logit - top)
};

// x[0 .. n-1] become exp(x - top) for the new top. Returns what earlier sums must be multiplied by.
float go_on(float* x, int64_t n, Softmax& state) {
  const float low = -__builtin_inff();
  F top = splat(state.top), total{};
  int64_t i = 0;
  for (; i + W <= n; i += W) top = max(top, load(x + i));
  if (i < n) top = max(top, load(x + i, int(n - i), low));
  const F m = splat(largest(top));
  for (i = 0; i + W <= n; i += W) {
    const F e = exp(load(x + i) - m);
    store(x + i, e);
    total = total + e;
  }
  if (i < n) {
    const F e = exp(load(x + i, int(n - i), low) - m);
    store(x + i, e, int(n - i));
    total = total + e;
  }
  const float factor = exp(splat(state.top) - m)[0];
  state = {m[0], state.total * factor + sum(total)};
  return factor;
}

// The logits of a chunk, then their share in each row's softmax.
struct Forward {
  const Problem& p;
  float *q, *logits, *out, *factor;
  Keys keys;
  Softmax* state;
  int64_t step;

  explicit Forward(const Problem& problem) : p(problem) {
    const int64_t rows = p.block() * p.H, keys_most = p.capacity();
    step = pitch(up(keys_most, WIDE));
    float* states;
    carve(BLOCK_SLOT, {{&q, rows * pitch(p.c)}, {&out, rows * pitch(p.c)}, {&logits, rows * step}, {&factor, rows}, {&states, 2 * rows},
                       {&keys.rows, keys_most * pitch(p.c)}, {&keys.panels, Keys::panel_floats(keys_most, p.c)}});
    state = reinterpret_cast<Softmax*>(states);
  }

  void read(int64_t a, int64_t b) const {
    for (int64_t row = 0; row < (b - a) * p.H; ++row) {
      p.unpack_row(p.q, a * p.H + row, p.scale(), q + row * pitch(p.c));
      state[row] = {p.sink[row % p.H], 1.0f};
    }
  }
  void weigh(const Chunk& chunk) const {
    const int64_t from = chunk.first * p.H;
    score(q + from * pitch(p.c), chunk.count, p.H, p.c, chunk.keys, chunk.reach, logits, step);
    for (int64_t row = 0; row < chunk.count * p.H; ++row) {
      const Reach r = chunk.reach[row / p.H];
      factor[row] = go_on(logits + row * step + r.begin, r.end - r.begin, state[from + row]);
    }
  }
  void add_values(const Chunk& chunk) const {
    float* to = out + chunk.first * p.H * pitch(p.c);
    mix(logits, step, chunk.count, p.H, p.c, chunk.keys, chunk.reach, [&](int64_t row, int64_t d, F sum) {
      float* x = to + row * pitch(p.c) + d;
      store(x, chunk.window ? sum : fma(splat(factor[row]), load(x), sum));
    });
  }
};

// stats[token, head]: the largest logit and 1 / total.
void forward_block(const Problem& p, int64_t a, int64_t b, void* out, float* stats) {
  const Forward f(p);
  f.read(a, b);
  each_chunk(p, a, b, f.keys, true, [&](const Chunk& chunk) {
    f.weigh(chunk);
    f.add_values(chunk);
  });
  for (int64_t row = 0; row < (b - a) * p.H; ++row) {
    const float share = 1.0f / f.state[row].total;
    float* x = f.out + row * pitch(p.c);
    for (int64_t d = 0; d < p.c; d += W) store(x + d, load(x + d) * share);
    stats[2 * (a * p.H + row)] = f.state[row].top;
    stats[2 * (a * p.H + row) + 1] = share;
  }
  p.store_rows(f.out, (b - a) * p.H, a * p.H, out);
}

// logits[0 .. n-1] become probabilities, gains[0 .. n-1] (of the probabilities) those of the logits.
void differentiate(float* logits, float* gains, int64_t n, float top, float share, float mean) {
  by_lanes(n, [&](int64_t i, auto... lanes) {
    const F prob = exp(load(logits + i, lanes...) - top) * share;
    store(gains + i, prob * (load(gains + i, lanes...) - mean), lanes...);
    store(logits + i, prob, lanes...);
  });
}

// What a group's queries add to the gradients of their keys and sinks.
struct Sums {
  int64_t a, b;            // its queries
  int64_t low, rows;       // window rows low .. low+rows-1
  int64_t entries;         // entries 0 .. entries-1
  float *window, *entry;   // [rows, pitch(c)], [entries, pitch(c)]
  double* sink;            // [H]
};

void backward_group(const Problem& p, const void* out, const float* stats, const void* grad, void* dq, const Sums& sums) {
  const int64_t step = pitch(up(p.capacity(), WIDE)), cs = pitch(p.c), most = p.block() * p.H;
  float *q, *g, *gq, *probs, *gains, *mean, *spare;
  Keys keys;
  carve(BLOCK_SLOT, {{&q, most * cs}, {&g, most * cs}, {&gq, most * cs}, {&probs, most * step}, {&gains, most * step}, {&mean, most},
                     {&spare, cs}, {&keys.rows, p.capacity() * cs}, {&keys.panels, Keys::panel_floats(p.capacity(), p.c)}});
  std::fill(sums.window, sums.window + sums.rows * cs, 0.0f);
  std::fill(sums.entry, sums.entry + sums.entries * cs, 0.0f);
  std::fill(sums.sink, sums.sink + p.H, 0.0);
  for (int64_t a = sums.a; a < sums.b; a += p.block()) {
    const int64_t b = std::min(a + p.block(), sums.b), rows = (b - a) * p.H;
    const float* stat = stats + 2 * a * p.H;
    for (int64_t row = 0; row < rows; ++row) {
      p.unpack_row(p.q, a * p.H + row, p.scale(), q + row * cs);
      p.unpack_row(grad, a * p.H + row, 1.0f, g + row * cs);
      p.unpack_row(out, a * p.H + row, 1.0f, spare);
      mean[row] = dot(spare, g + row * cs, p.c);
      const float sink = p.sink[row % p.H];
      sums.sink[row % p.H] -= double(exp(splat(sink - stat[2 * row]))[0] * stat[2 * row + 1]) * mean[row];
    }
    each_chunk(p, a, b, keys, true, [&](const Chunk& chunk) {
      const int64_t from = chunk.first * p.H;
      score(q + from * cs, chunk.count, p.H, p.c, chunk.keys, chunk.reach, probs, step);
      score(g + from * cs, chunk.count, p.H, p.c, chunk.keys, chunk.reach, gains, step);
      for (int64_t row = 0; row < chunk.count * p.H; ++row) {
        const Reach r = chunk.reach[row / p.H];
        float *x = probs + row * step, *y = gains + row * step;
        differentiate(x + r.begin, y + r.begin, r.end - r.begin, stat[2 * (from + row)], stat[2 * (from + row) + 1], mean[from + row]);
        clear_beside(x, r), clear_beside(y, r);
      }
      mix(gains, step, chunk.count, p.H, p.c, chunk.keys, chunk.reach, [&](int64_t row, int64_t d, F sum) {
        float* x = gq + (from + row) * cs + d;
        store(x, chunk.window ? sum : load(x) + sum);
      });
      spread({{gains, q + from * cs}, {probs, g + from * cs}}, step, chunk.count, p.H, p.c, chunk.keys.n, chunk.reach,
             [&](int64_t k, int64_t d, F sum) {
               float* x = (chunk.window ? sums.window + (chunk.at(k) - sums.low) * cs : sums.entry + chunk.at(k) * cs) + d;
               store(x, load(x) + sum);
             });
    });
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t d = 0; d < p.c; d += W) store(gq + row * cs + d, load(gq + row * cs + d) * p.scale());
    p.store_rows(gq, rows, a * p.H, dq);
  }
}

}  // namespace

void sparse_attention(const void* q, const void* window, const void* entries, const int64_t* selected, const float* sink, bool bf16,
                      int64_t T, int64_t H, int64_t c, int64_t before, int64_t E, int64_t K, int64_t start, int64_t width, int64_t ratio,
                      void* out, float* stats) {
  const Problem p{q, window, entries, selected, sink, bf16, T, H, c, before, E, K, start, width, ratio};
  p.check();
  finback::parallel_rows(T, p.block(), [&](int64_t a, int64_t b) { forward_block(p, a, b, out, stats); });
}

void sparse_attention_backward(const void* q, const void* window, const void* entries, const int64_t* selected, const float* sink,
                               bool bf16, int64_t T, int64_t H, int64_t c, int64_t before, int64_t E, int64_t K, int64_t start,
                               int64_t width, int64_t ratio, const void* out, const float* stats, const void* grad, void* dq,
                               void* dwindow, void* dentries, float* dsink) {
  const Problem p{q, window, entries, selected, sink, bf16, T, H, c, before, E, K, start, width, ratio};
  const int64_t cs = pitch(c), size = group_of(T, p.block()), count = (T + size - 1) / size;
  std::vector<Sums> groups(count);
  int64_t floats = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t a = i * size, b = std::min(a + size, T), low = p.first_row(a);
    groups[i] = {a, b, low, before + b - low, K >= 0 ? E : p.visible(b - 1), nullptr, nullptr, nullptr};
    floats += (groups[i].rows + groups[i].entries) * cs;
  }
  const std::unique_ptr<float[]> space(new float[floats]);
  std::vector<double> sinks(count * H);
  float* at = space.get();
  for (int64_t i = 0; i < count; ++i) {
    groups[i].window = at, at += groups[i].rows * cs;
    groups[i].entry = at, at += groups[i].entries * cs;
    groups[i].sink = sinks.data() + i * H;
  }
  // the last groups see the most entries: they begin first
  finback::parallel(count, [&](int64_t i) { backward_group(p, out, stats, grad, dq, groups[count - 1 - i]); });
  finback::parallel_rows(before + T + E, 64, [&](int64_t first, int64_t end) {
    float* total;
    carve(BLOCK_SLOT, {{&total, cs}});
    for (int64_t row = first; row < end; ++row) {
      const bool is_entry = row >= before + T;
      const int64_t key = is_entry ? row - before - T : row;
      std::fill(total, total + cs, 0.0f);
      for (const Sums& g : groups) {
        if (is_entry ? key >= g.entries : key < g.low || key >= g.low + g.rows) continue;
        const float* part = is_entry ? g.entry + key * cs : g.window + (key - g.low) * cs;
        for (int64_t d = 0; d < c; d += W) store(total + d, load(total + d) + load(part + d));
      }
      p.store_rows(total, 1, key, is_entry ? dentries : dwindow);
    }
  });
  for (int64_t h = 0; h < H; ++h) {
    double total = 0.0;
    for (const Sums& g : groups) total += g.sink[h];
    dsink[h] = float(total);
  }
}

void entry_mass(const void* q, const void* window, const void* entries, const float* sink, bool bf16, int64_t T, int64_t H, int64_t c,
                int64_t before, int64_t E, int64_t start, int64_t width, int64_t ratio, float* mass) {
  const Problem p{q, window, entries, nullptr, sink, bf16, T, H, c, before, E, -1, start, width, ratio};
  finback::parallel_rows(T, p.block(), [&](int64_t a, int64_t b) {
    const Forward f(p);
    f.read(a, b);
    each_chunk(p, a, b, f.keys, true, [&](const Chunk& chunk) { f.weigh(chunk); });
    std::fill(mass + a * E, mass + b * E, 0.0f);
    each_chunk(p, a, b, f.keys, false, [&](const Chunk& chunk) {
      const int64_t from = chunk.first * H;
      score(f.q + from * pitch(c), chunk.count, H, c, chunk.keys, chunk.reach, f.logits, f.step);
      for (int64_t row = 0; row < chunk.count * H; ++row) {
        const Softmax& state = f.state[from + row];
        const float share = 1.0f / state.total;
        float* to = mass + (a + chunk.first + row / H) * E + chunk.base;
        by_lanes(chunk.reach[row / H].end, [&](int64_t k, auto... lanes) {
          store(to + k, load(to + k, lanes...) + exp(load(f.logits + row * f.step + k, lanes...) - state.top) * share, lanes...);
        });
      }
    });
  });
}

}  // namespace FB_LEVEL
