// What does training need of the experts beside their matrix products? (report 2.1) Rows sorted by expert, rows
// gathered and given back, and SwiGLU with its gradient, each in one pass. The products themselves are PyTorch's.
#include <algorithm>

#include "kernels.h"
#include "rows.h"
#include "simd.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

using Bf16 = uint16_t;

// f(i, lanes...) over 0..n-1: whole vectors, then the rest with its number of lanes.
template <class Step>
inline void along(int64_t n, const Step& step) {
  int64_t i = 0;
  for (; i + W <= n; i += W) step(i);
  if (i < n) step(i, int(n - i));
}

int64_t grain(int64_t width) { return 1 + (1 << 15) / (width + 1); }

template <class From, class To>
void gather(const From* x, const int32_t* source, int64_t k, int64_t n, int64_t D, To* rows) {
  finback::parallel_rows(n, grain(D), [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i) {
      To* to = rows + i * D;
      if (source[i] < 0) {
        std::memset(to, 0, D * sizeof(To));
        continue;
      }
      const From* from = x + source[i] / k * D;
      along(D, [&](int64_t d, auto... lanes) { store(to + d, load(from + d, lanes...), lanes...); });
    }
  });
}

// Threads share the columns, so that rows of one token never meet.
template <class E>
void add(const E* rows, const int32_t* source, int64_t k, int64_t n, int64_t D, float* y) {
  constexpr int64_t COLUMNS = 128;
  finback::parallel_rows(D, std::max(COLUMNS, (1 << 15) / (n + 1) / W * W), [&](int64_t first, int64_t end) {
    for (int64_t i = 0; i < n; ++i) {
      if (source[i] < 0) continue;
      const E* from = rows + i * D + first;
      float* to = y + source[i] / k * D + first;
      along(end - first, [&](int64_t d, auto... lanes) { store(to + d, load(to + d, lanes...) + load(from + d, lanes...), lanes...); });
    }
  });
}

// The clamps let NaN through, as PyTorch's do.
inline F clamp_gate(F x, F limit) { return x > limit ? limit : x; }
inline F clamp_up(F x, F limit) { return x > limit ? limit : x < -limit ? -limit : x; }

inline float weight_of(const float* weights, const int32_t* source, int64_t i) {
  if (source && source[i] < 0) return 0.0f;
  return weights ? weights[source ? source[i] : i] : 1.0f;
}

template <class E>
void forward(const E* gate, const E* up, const float* weights, const int32_t* source, int64_t n, int64_t inner, F limit, E* middle) {
  finback::parallel_rows(n, grain(inner), [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i) {
      const F weight = splat(weight_of(weights, source, i));
      along(inner, [&](int64_t j, auto... lanes) {
        const int64_t at = i * inner + j;
        const F g = clamp_gate(load(gate + at, lanes...), limit), u = clamp_up(load(up + at, lanes...), limit);
        store(middle + at, silu(g) * u * weight, lanes...);
      });
    }
  });
}

template <class E>
void backward(const E* gate, const E* up, const E* dmiddle, const float* weights, const int32_t* source, int64_t n, int64_t inner,
              F limit, E* middle, E* dgate, E* dup, float* dweights) {
  finback::parallel_rows(n, grain(inner), [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i) {
      const F weight = splat(weight_of(weights, source, i));
      F total{};
      along(inner, [&](int64_t j, auto... lanes) {
        const int64_t at = i * inner + j;
        const F raw_g = load(gate + at, lanes...), raw_u = load(up + at, lanes...), dm = load(dmiddle + at, lanes...);
        const F g = clamp_gate(raw_g, limit), u = clamp_up(raw_u, limit);
        const F s = sigmoid(g), act = silu(g), d = dm * weight;
        // a clamped value, and NaN, passes no gradient on
        const F dg = d * u * (s * (1.0f + g * (1.0f - s))), du = d * act;
        store(middle + at, act * u * weight, lanes...);
        store(dgate + at, raw_g <= limit ? dg : F{}, lanes...);
        store(dup + at, raw_u >= -limit ? (raw_u <= limit ? du : F{}) : F{}, lanes...);
        total = total + dm * act * u;  // lanes past the end are zero
      });
      if (dweights && !(source && source[i] < 0)) dweights[source ? source[i] : i] = sum(total);
    }
  });
}

}  // namespace

void expert_order(const int64_t* ids, int64_t n, int64_t E, int64_t multiple, int32_t* source, int64_t* start) {
  std::fill(start, start + E + 1, 0);
  for (int64_t i = 0; i < n; ++i) {
    if (ids[i] < 0 || ids[i] >= E) {
      start[0] = -1 - i;
      return;
    }
    ++start[ids[i] + 1];
  }
  for (int64_t e = 0; e < E; ++e) start[e + 1] = start[e] + (start[e + 1] + multiple - 1) / multiple * multiple;
  std::fill(source, source + start[E], -1);
  for (int64_t i = 0; i < n; ++i) source[start[ids[i]]++] = int32_t(i);
  // each start has moved to its expert's end, from which the next multiple is the next one's
  for (int64_t e = E; e > 0; --e) start[e] = (start[e - 1] + multiple - 1) / multiple * multiple;
  start[0] = 0;
}

void gather_rows(const void* x, int x_bf16, const int32_t* source, int64_t k, int64_t n, int64_t D, void* rows, int bf16) {
  if (x_bf16 && bf16) gather(static_cast<const Bf16*>(x), source, k, n, D, static_cast<Bf16*>(rows));
  else if (x_bf16) gather(static_cast<const Bf16*>(x), source, k, n, D, static_cast<float*>(rows));
  else if (bf16) gather(static_cast<const float*>(x), source, k, n, D, static_cast<Bf16*>(rows));
  else gather(static_cast<const float*>(x), source, k, n, D, static_cast<float*>(rows));
}

void add_rows(const void* rows, int bf16, const int32_t* source, int64_t k, int64_t n, int64_t D, float* y) {
  if (bf16) add(static_cast<const Bf16*>(rows), source, k, n, D, y);
  else add(static_cast<const float*>(rows), source, k, n, D, y);
}

void swiglu_forward(const void* gate, const void* up, int bf16, const float* weights, const int32_t* source, int64_t n,
                    int64_t inner, float limit, void* middle) {
  const auto run = [&](auto* to) {
    using E = std::remove_pointer_t<decltype(to)>;
    forward(static_cast<const E*>(gate), static_cast<const E*>(up), weights, source, n, inner, splat(limit), to);
  };
  if (bf16) run(static_cast<Bf16*>(middle));
  else run(static_cast<float*>(middle));
}

void swiglu_backward(const void* gate, const void* up, const void* dmiddle, int bf16, const float* weights, const int32_t* source,
                     int64_t n, int64_t inner, float limit, void* middle, void* dgate, void* dup, float* dweights) {
  const auto run = [&](auto* to) {
    using E = std::remove_pointer_t<decltype(to)>;
    backward(static_cast<const E*>(gate), static_cast<const E*>(up), static_cast<const E*>(dmiddle), weights, source, n, inner,
             splat(limit), to, static_cast<E*>(dgate), static_cast<E*>(dup), dweights);
  };
  if (bf16) run(static_cast<Bf16*>(middle));
  else run(static_cast<float*>(middle));
}

}  // namespace FB_LEVEL
