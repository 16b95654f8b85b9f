// What do a token's experts add up to? (report 2.1) Rows are sorted by expert, so that an expert's weights are read once
// for all of its tokens. Two steps share the work: panels of gate and up give the middle, panels of w2 the sum.
#include "moe.h"

#include <algorithm>

#include "scratch.h"
#include "simd.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

using finback::Matrix;

constexpr int64_t ROWS = 256;  // of an expert, in one task

// Rows of x sorted by expert: places start[e] .. start[e + 1] - 1 belong to expert e. The shared expert, E, has all.
struct Order {
  int64_t* start;  // [E + 2]
  int32_t* token;  // [places]
  float* weight;   // [places]
};

Order sort(const int64_t* ids, const float* weights, int64_t T, int64_t k, int64_t E) {
  const int64_t places = T * (k + 1);
  char* space = scratch(SORT_SLOT, align64(8 * (E + 2)) + 2 * align64(4 * places));
  Order o{reinterpret_cast<int64_t*>(space), reinterpret_cast<int32_t*>(space + align64(8 * (E + 2))),
          reinterpret_cast<float*>(space + align64(8 * (E + 2)) + align64(4 * places))};
  std::fill(o.start, o.start + E + 2, 0);
  for (int64_t i = 0; i < T * k; ++i) ++o.start[ids[i] + 1];
  for (int64_t e = 0; e < E; ++e) o.start[e + 1] += o.start[e];
  for (int64_t i = 0; i < T * k; ++i) {
    const int64_t place = o.start[ids[i]]++;
    o.token[place] = int32_t(i / k), o.weight[place] = weights[i];
  }
  for (int64_t e = E; e > 0; --e) o.start[e] = o.start[e - 1];  // each had moved to the next one's
  o.start[0] = 0, o.start[E + 1] = places;
  for (int64_t t = 0; t < T; ++t) o.token[T * k + t] = int32_t(t), o.weight[T * k + t] = 1.0f;
  return o;
}

// gate = silu(gate clamped) * up clamped * weight for n columns. The clamps let NaN through.
void activate(float* gate, const float* up, int64_t n, float limit, float weight) {
  const F top = splat(limit);
  const auto middle = [&](F g, F u) {
    return silu(g > top ? top : g) * (u > top ? top : u < -top ? -top : u) * weight;
  };
  int64_t j = 0;
  for (; j + W <= n; j += W) store(gate + j, middle(load(gate + j), load(up + j)));
  if (j < n) store(gate + j, middle(load(gate + j, int(n - j)), load(up + j, int(n - j))), int(n - j));
}

Rows rows_from(Rows rows, int64_t first, int64_t count) {
  const int64_t bytes = rows.rounding == finback::Rounding::fp32 ? 4 : rows.rounding == finback::Rounding::int8 ? 1 : 2;
  rows.data = static_cast<const char*>(rows.data) + first * rows.K * bytes;
  if (rows.scale) rows.scale += first, rows.sum += first;
  rows.T = count;
  return rows;
}

}  // namespace

void experts(const float* x, int64_t T, int64_t D, int64_t inner, const int64_t* ids, const float* weights, int64_t k, const Matrix* w1,
             const Matrix* w2, const Matrix* w3, int64_t E, float limit, finback::Rounding rounding, float* y) {
  const int64_t places = T * (k + 1);
  const Order order = sort(ids, weights, T, k, E);
  const Rows in = round_rows(x, T, D, rounding, scratch(ROWS_SLOT, rounded_bytes(rounding, T, D)));
  char* space = scratch(MIDDLE_SLOT, align64(4 * places * inner) + rounded_bytes(rounding, places, inner));
  float* middle = reinterpret_cast<float*>(space);

  // a task: some places of one expert with a panel of its gate and up
  struct Part {
    int64_t expert, first, count;
  };
  const int64_t most = std::min(places, E + 1) + places / ROWS;
  Part* parts = reinterpret_cast<Part*>(scratch(PIECE_SLOT, int64_t(sizeof(Part)) * most));
  int64_t count = 0;
  for (int64_t e = 0; e <= E; ++e)
    for (int64_t i = order.start[e]; i < order.start[e + 1]; i += ROWS) parts[count++] = {e, i, std::min(ROWS, order.start[e + 1] - i)};
  const int64_t panels = (inner + PANEL - 1) / PANEL;
  finback::parallel(count * panels, [&](int64_t task) {
    const Part p = parts[task / panels];
    const int64_t first = task % panels * PANEL, end = std::min(first + PANEL, inner);
    float *gate = middle + p.first * inner + first, *up = reinterpret_cast<float*>(scratch(OUT_SLOT, 4 * ROWS * PANEL));
    product(in, order.token + p.first, p.count, w1[p.expert], first, end, gate, inner);
    product(in, order.token + p.first, p.count, w3[p.expert], first, end, up, PANEL);
    for (int64_t i = 0; i < p.count; ++i) activate(gate + i * inner, up + i * PANEL, end - first, limit, order.weight[p.first + i]);
  });

  // a task: a panel of all w2, so that one thread adds up an output, in the order of the experts
  const Rows hidden = round_rows(middle, places, inner, rounding, space + align64(4 * places * inner));
  finback::parallel((D + PANEL - 1) / PANEL, [&](int64_t task) {
    const int64_t first = task * PANEL, end = std::min(first + PANEL, D);
    float* out = reinterpret_cast<float*>(scratch(OUT_SLOT, 4 * T * PANEL));
    for (int64_t t = 0; t < T; ++t) std::fill(y + t * D + first, y + t * D + end, 0.0f);
    for (int64_t e = 0; e <= E; ++e) {
      const int64_t begin = order.start[e], rows = order.start[e + 1] - begin;
      if (!rows) continue;
      product(rows_from(hidden, begin, rows), nullptr, rows, w2[e], first, end, out, PANEL);
      for (int64_t i = 0; i < rows; ++i) {
        float* to = y + order.token[begin + i] * D + first;
        for (int64_t d = 0; d < end - first; ++d) to[d] += out[i * PANEL + d];
      }
    }
  });
}

}  // namespace FB_LEVEL
