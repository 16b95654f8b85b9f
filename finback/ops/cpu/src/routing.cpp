// Which experts work on a token? (report 2.1) The bias selects, the affinities weigh; the first layers ask a table.
#include <algorithm>
#include <cmath>
#include <limits>

#include "plan.h"
#include "rows.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

// sqrt(softplus(x)), in the form that does not overflow.
float affinity(float x) {
  const float softplus = std::max(x, 0.0f) + std::log1p(std::exp(-std::fabs(x)));
  return std::sqrt(x == x ? std::max(softplus, std::numeric_limits<float>::min()) : x);
}

// The k largest of a + bias; of equal ones the first; NaN counts as larger than all.
void largest_k(const float* a, const float* bias, int64_t E, int64_t k, int64_t* ids) {
  for (int64_t i = 0; i < k; ++i) {
    int64_t best = -1;
    float most = 0.0f;
    for (int64_t e = 0; e < E; ++e) {
      const float x = a[e] + bias[e];
      if ((best < 0 || x > most || (x != x && most == most)) && std::find(ids, ids + i, e) == ids + i) best = e, most = x;
    }
    ids[i] = best;
  }
}

}  // namespace

void route(const finback::Model& m, const finback::Block& b, const int64_t* tokens, int64_t rows, float* logits, int64_t* ids,
           float* weights) {
  finback::parallel_rows(rows, 32, [&](int64_t first, int64_t end) {
    for (int64_t t = first; t < end; ++t) {
      float *a = logits + t * m.E, *w = weights + t * m.k, total = 0.0f;
      int64_t* chosen = ids + t * m.k;
      for (int64_t e = 0; e < m.E; ++e) a[e] = affinity(a[e]);
      if (b.tid2eid) std::copy_n(b.tid2eid + tokens[t] * m.k, m.k, chosen);
      else largest_k(a, b.gate_bias, m.E, m.k, chosen);
      for (int64_t i = 0; i < m.k; ++i) total += w[i] = a[chosen[i]];
      for (int64_t i = 0; i < m.k; ++i) w[i] = w[i] / total * m.route_scale;
    }
  });
}

}  // namespace FB_LEVEL
