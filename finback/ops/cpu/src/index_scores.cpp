// How does the lightning indexer score while it trains, and what are the gradients? (report 2.3.1) `ops.index_scores`.
//
// I_ts = sum_h w_th relu(q_th . k_s). The dots are computed again in the backward pass. Keys' gradients add up as in
// sparse_attention.cpp: in groups of queries that follow from the shape alone.
#include <memory>
#include <vector>

#include "kernels.h"
#include "threads.h"
#include "tiles.h"

namespace FB_LEVEL {
namespace {

struct Block {
  int64_t count;  // queries
  float *q, *dots, *grad, *gq, *ggate;
  Keys keys;
  int64_t step;
  Reach reach[MOST];

  Block(int64_t H, int64_t c, int64_t E, bool backward) : count(block_of(H)) {
    const int64_t n = std::min(CHUNK, E), rows = count * H, more = backward ? rows : 0;
    step = pitch(up(n, WIDE));
    carve(BLOCK_SLOT, {{&q, rows * pitch(c)}, {&dots, rows * step}, {&grad, more * step}, {&gq, more * pitch(c)}, {&ggate, more},
                       {&keys.rows, n * pitch(c)}, {&keys.panels, Keys::panel_floats(n, c)}});
  }
  void read(const float* from, int64_t rows, int64_t c, float* to) const {
    for (int64_t i = 0; i < rows; ++i) unpack(from + i * c, c, 1.0f, to + i * pitch(c));
  }
  // Keys base .. base+CHUNK-1 of E and their dots with the block's queries.
  void score_chunk(const float* all, int64_t base, int64_t E, int64_t queries, int64_t H, int64_t c) {
    keys.n = std::min(E - base, CHUNK);
    read(all + base * c, keys.n, c, keys.rows);
    keys.turn(c);
    std::fill(reach, reach + queries, Reach{0, keys.n});
    score(q, queries, H, c, keys, reach, dots, step);
  }
};

// NaN stays NaN.
F relu(F x) { return x < 0.0f ? F{} : x; }

}  // namespace

void index_scores(const float* q, const float* gate, const float* keys, int64_t T, int64_t H, int64_t c, int64_t E, float* scores) {
  finback::parallel_rows(T, block_of(H), [&](int64_t a, int64_t b) {
    Block block(H, c, E, false);
    block.read(q + a * H * c, (b - a) * H, c, block.q);
    std::fill(scores + a * E, scores + b * E, 0.0f);
    for (int64_t base = 0; base < E; base += CHUNK) {
      block.score_chunk(keys, base, E, b - a, H, c);
      for (int64_t row = 0; row < (b - a) * H; ++row) {
        float* to = scores + (a + row / H) * E + base;
        const F weight = splat(gate[a * H + row]);
        by_lanes(block.keys.n, [&](int64_t k, auto... lanes) {
          store(to + k, fma(weight, relu(load(block.dots + row * block.step + k, lanes...)), load(to + k, lanes...)), lanes...);
        });
      }
    }
  });
}

void index_scores_backward(const float* q, const float* gate, const float* keys, const float* grad, int64_t T, int64_t H, int64_t c,
                           int64_t E, float* dq, float* dgate, float* dkeys) {
  const int64_t cs = pitch(c), size = group_of(T, block_of(H)), count = (T + size - 1) / size;
  const std::unique_ptr<float[]> sums(new float[count * E * cs]);
  finback::parallel_rows(T, size, [&](int64_t begin, int64_t end) {
    float* sum = sums.get() + begin / size * E * cs;
    std::fill(sum, sum + E * cs, 0.0f);
    Block block(H, c, E, true);
    for (int64_t a = begin; a < end; a += block.count) {
      const int64_t b = std::min(a + block.count, end), rows = (b - a) * H;
      block.read(q + a * H * c, rows, c, block.q);
      std::fill(block.gq, block.gq + rows * cs, 0.0f);
      std::fill(block.ggate, block.ggate + rows, 0.0f);
      for (int64_t base = 0; base < E; base += CHUNK) {
        block.score_chunk(keys, base, E, b - a, H, c);
        const int64_t n = block.keys.n;
        for (int64_t row = 0; row < rows; ++row) {
          const float *x = block.dots + row * block.step, *g = grad + (a + row / H) * E + base;
          float* y = block.grad + row * block.step;
          const F weight = splat(gate[a * H + row]);
          F total{};
          by_lanes(n, [&](int64_t k, auto... lanes) {
            const F dot = load(x + k, lanes...), gain = load(g + k, lanes...);
            total = fma(gain, relu(dot), total);
            store(y + k, dot > 0.0f ? gain * weight : F{}, lanes...);
          });
          block.ggate[row] += FB_LEVEL::sum(total);
          clear_beside(y, {0, n});
        }
        mix(block.grad, block.step, b - a, H, c, block.keys, block.reach, [&](int64_t row, int64_t d, F part) {
          store(block.gq + row * cs + d, load(block.gq + row * cs + d) + part);
        });
        spread({{block.grad, block.q}}, block.step, b - a, H, c, n, block.reach, [&](int64_t k, int64_t d, F part) {
          float* to = sum + (base + k) * cs + d;
          store(to, load(to) + part);
        });
      }
      for (int64_t row = 0; row < rows; ++row) store_row(dq + (a * H + row) * c, block.gq + row * cs, c);
      std::copy(block.ggate, block.ggate + rows, dgate + a * H);
    }
  });
  finback::parallel_rows(E, 64, [&](int64_t first, int64_t end) {
    for (int64_t k = first; k < end; ++k)
      for (int64_t d = 0; d < c; ++d) {
        float total = 0.0f;
        for (int64_t i = 0; i < count; ++i) total += sums[(i * E + k) * cs + d];
        dkeys[k * c + d] = total;
      }
  });
}

}  // namespace FB_LEVEL
