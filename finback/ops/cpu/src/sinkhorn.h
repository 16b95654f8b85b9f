// How does a token's mixing matrix become nearly doubly stochastic, and how do gradients come back? (report 2.2)
//
// Lanes are tokens: every token runs through the same steps in a lane of its own, so its bits do not depend on its
// neighbours. A matrix [n, n] is n * n vectors, entry [j, k] (from old stream j to new stream k) at j * n + k.
#pragma once

#include <type_traits>

#include "simd.h"

namespace FB_LEVEL {

constexpr int MAX_STREAMS = 8;

// body(std::integral_constant<int, n>()): loops over streams whose length the compiler knows stay in registers.
template <class Body>
inline void with_streams(int n, const Body& body) {
  switch (n) {
    case 1: return body(std::integral_constant<int, 1>());
    case 2: return body(std::integral_constant<int, 2>());
    case 3: return body(std::integral_constant<int, 3>());
    case 4: return body(std::integral_constant<int, 4>());
    case 5: return body(std::integral_constant<int, 5>());
    case 6: return body(std::integral_constant<int, 6>());
    case 7: return body(std::integral_constant<int, 7>());
    case 8: return body(std::integral_constant<int, 8>());
  }
}

namespace sinkhorn_detail {

// Divides by the sums over j (of each k) or over k (of each j). factor [N]: by what was multiplied.
template <int N, bool OVER_J>
inline void normalise(F* comb, F eps, F* factor) {
#pragma GCC unroll 8
  for (int a = 0; a < N; ++a) {
    F* line = comb + (OVER_J ? a : a * N);
    constexpr int STEP = OVER_J ? N : 1;
    F total = line[0];
#pragma GCC unroll 8
    for (int b = 1; b < N; ++b) total += line[b * STEP];
    factor[a] = 1.0f / (total + eps);
#pragma GCC unroll 8
    for (int b = 0; b < N; ++b) line[b * STEP] *= factor[a];
  }
}

// The gradient of what `normalise` was given, in place of that of what it left. For y = x f, f = 1 / (sum x + eps):
// dx = f (dy - sum dy y).
template <int N, bool OVER_J>
inline void normalise_back(const F* left, const F* factor, F* grad) {
#pragma GCC unroll 8
  for (int a = 0; a < N; ++a) {
    const int first = OVER_J ? a : a * N;
    constexpr int STEP = OVER_J ? N : 1;
    F total{};
#pragma GCC unroll 8
    for (int b = 0; b < N; ++b) total = fma(grad[first + b * STEP], left[first + b * STEP], total);
#pragma GCC unroll 8
    for (int b = 0; b < N; ++b) grad[first + b * STEP] = (grad[first + b * STEP] - total) * factor[a];
  }
}

template <int N>
inline void softmax(F* comb) {
  for (int j = 0; j < N; ++j) {
    F *row = comb + j * N, top = row[0], total{};
    for (int k = 1; k < N; ++k) top = max(top, row[k]);
    for (int k = 0; k < N; ++k) total += row[k] = exp(row[k] - top);
    const F factor = 1.0f / total;
    for (int k = 0; k < N; ++k) row[k] *= factor;
  }
}

}  // namespace sinkhorn_detail

// comb: logits, then the result.
template <int N>
inline void sinkhorn(F* comb, int iters, float eps) {
  using namespace sinkhorn_detail;
  const F e = splat(eps);
  F m[N * N], factor[N];
  for (int i = 0; i < N * N; ++i) m[i] = comb[i];
  softmax<N>(m);
  for (int i = 0; i < N * N; ++i) m[i] += e;
  normalise<N, true>(m, e, factor);
  for (int i = 1; i < iters; ++i) {
    normalise<N, false>(m, e, factor);
    normalise<N, true>(m, e, factor);
  }
  for (int i = 0; i < N * N; ++i) comb[i] = m[i];
}

// How many vectors of space `sinkhorn_back` takes: what each of its steps left, and the factors.
inline int64_t sinkhorn_space(int n, int iters) { return n * n + (2 * iters - 1) * int64_t(n * n + n); }

// grad: of the result, then of the logits. The steps are computed anew rather than kept from the forward pass.
template <int N>
inline void sinkhorn_back(const F* logits, int iters, float eps, F* space, F* grad) {
  using namespace sinkhorn_detail;
  constexpr int STEP = N * N + N;  // a step's matrix and its factors
  const F e = splat(eps);
  F m[N * N], *at = space;
  for (int i = 0; i < N * N; ++i) m[i] = logits[i];
  softmax<N>(m);
  for (int i = 0; i < N * N; ++i) at[i] = m[i], m[i] += e;
  at += N * N;
  const auto keep = [&] {
    for (int i = 0; i < N * N; ++i) at[i] = m[i];
    at += STEP;
  };
  normalise<N, true>(m, e, at + N * N);
  keep();
  for (int i = 1; i < iters; ++i) {
    normalise<N, false>(m, e, at + N * N);
    keep();
    normalise<N, true>(m, e, at + N * N);
    keep();
  }
  F g[N * N];
  for (int i = 0; i < N * N; ++i) g[i] = grad[i];
  for (int i = 1; i < iters; ++i) {
    at -= STEP;
    normalise_back<N, true>(at, at + N * N, g);
    at -= STEP;
    normalise_back<N, false>(at, at + N * N, g);
  }
  at -= STEP;
  normalise_back<N, true>(at, at + N * N, g);
  for (int j = 0; j < N; ++j) {  // softmax: dx = y (dy - sum dy y)
    const F* y = space + j * N;
    F total{};
    for (int k = 0; k < N; ++k) total = fma(g[j * N + k], y[k], total);
    for (int k = 0; k < N; ++k) grad[j * N + k] = (g[j * N + k] - total) * y[k];
  }
}

}  // namespace FB_LEVEL
