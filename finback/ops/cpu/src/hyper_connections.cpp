// How are the residual streams read? (report 2.2) One pass over the streams forward and one back: a group of tokens
// goes through all steps while its streams are in the cache. In the small steps lanes are tokens.
#include <cmath>
#include <cstring>

#include "kernels.h"
#include "matrix.h"
#include "rows.h"
#include "scratch.h"
#include "sinkhorn.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

constexpr int MAX_ROWS = (2 + MAX_STREAMS) * MAX_STREAMS;

// What one use of the parameters is: rows of fn are the gates pre (A), and for a sublayer post (C) and comb (B).
struct Reading {
  const float *fn, *scale, *base;
  int64_t T;
  int n;
  int64_t D;
  int iters;
  float eps;
  bool head;

  int rows() const { return head ? n : (2 + n) * n; }
  int64_t width() const { return n * D; }
  int part(int row) const { return row < n ? 0 : row < 2 * n ? 1 : 2; }  // which of the scales
};

// `lanes` tokens of row r of a matrix [rows, T], and zeros.
inline F tokens_of(const float* p, int64_t r, int64_t T, int64_t t, int lanes) {
  return some(p + r * T + t, lanes);
}
inline void put_tokens(float* p, int64_t r, int64_t T, int64_t t, F v, int lanes) {
  store_some(p + r * T + t, v, lanes);
}

// x = sum_j weights[j * W] h_j for one token.
template <class E>
void collapse(const E* h, const float* weights, int n, int64_t D, E* x) {
  int64_t d = 0;
  for (; d + W <= D; d += W) {
    F acc{};
    for (int j = 0; j < n; ++j) acc = fma(splat(weights[j * W]), load(h + j * D + d), acc);
    store(x + d, acc);
  }
  if (d < D) {
    F acc{};
    for (int j = 0; j < n; ++j) acc = fma(splat(weights[j * W]), load(h + j * D + d, int(D - d)), acc);
    store(x + d, acc, int(D - d));
  }
}

template <class E>
void read(const Reading& in, const E* h, float norm_eps, E* x, float* post, float* comb, float* kept) {
  const int n = in.n, rows = in.rows();
  const int64_t T = in.T, width = in.width();
  const finback::Matrix fn{finback::Format::fp32, rows, width, in.fn, nullptr};
  const finback::Rounding rounding = sizeof(E) == 4 ? finback::Rounding::fp32 : finback::Rounding::bf16;
  // a token's bits are the same in any group: few tokens are shared among the threads, many fill the lanes
  finback::parallel_rows(T, T < 4 * W ? 4 : W, [&](int64_t first, int64_t end) {
    for (int64_t t = first; t < end; t += W) {
      const int lanes = int(end - t < W ? end - t : W);
      float products[W * MAX_ROWS];
      product({rounding, lanes, width, h + t * width, nullptr, nullptr}, nullptr, lanes, fn, 0, rows, products, rows);
      F u[MAX_ROWS + 1] = {};  // the logits before scale and base, and what the norm multiplies by
      float* lane = reinterpret_cast<float*>(u);
      for (int i = 0; i < lanes; ++i) {
        const E* v = h + (t + i) * width;
        const float factor = 1.0f / std::sqrt(dot(v, v, width) / float(width) + norm_eps);
        for (int r = 0; r < rows; ++r) lane[r * W + i] = products[i * rows + r] * factor;
        lane[rows * W + i] = factor;
      }
      if (kept)
        for (int r = 0; r <= rows; ++r) put_tokens(kept, r, T, t, u[r], lanes);
      for (int r = 0; r < rows; ++r) u[r] = u[r] * in.scale[in.part(r)] + in.base[r];
      for (int j = 0; j < n; ++j) u[j] = sigmoid(u[j]) + in.eps;
      if (!in.head) {
        for (int j = 0; j < n; ++j) put_tokens(post, j, T, t, 2.0f * sigmoid(u[n + j]), lanes);
        with_streams(n, [&](auto N) { sinkhorn<N>(u + 2 * n, in.iters, in.eps); });
        for (int i = 0; i < n * n; ++i) put_tokens(comb, i, T, t, u[2 * n + i], lanes);
      }
      for (int i = 0; i < lanes; ++i) collapse(h + (t + i) * width, lane + i, n, in.D, x + (t + i) * in.D);
    }
  });
}

// ---- back

// Of `count` tokens with streams h: the gradients dp [count, rows] of the products, the gates pre [count, n], and
// `along` [count], what the norm adds along h itself.
template <class E>
struct Group {
  const E *h, *gx;
  E* dh;
  int count;
  float dp[W * MAX_ROWS], pre[W * MAX_STREAMS], along[W];
};

// Adds dp^T h to the rows r..r+R-1 of dfn at W columns, or begins with it.
template <int R, class E>
inline void add_outer(const Group<E>& g, int rows, int64_t width, int r, int64_t column, int lanes, bool begin, float* dfn) {
  F acc[R];
#pragma GCC unroll 24
  for (int i = 0; i < R; ++i) acc[i] = begin ? F{} : some(dfn + (r + i) * width + column, lanes);
  for (int t = 0; t < g.count; ++t) {
    const F v = some(g.h + t * width + column, lanes);
    const float* dp = g.dp + t * rows + r;
#pragma GCC unroll 24
    for (int i = 0; i < R; ++i) acc[i] = fma(splat(dp[i]), v, acc[i]);
  }
#pragma GCC unroll 24
  for (int i = 0; i < R; ++i) {
    store_some(dfn + (r + i) * width + column, acc[i], lanes);
  }
}

// dh = pre_j gx + along h + fn^T dp for tokens t..t+R-1 at C * W columns from d of stream j.
template <int R, int C, class E>
inline void write_back(const Group<E>& g, const Reading& in, int t, int j, int64_t d, int lanes) {
  const int rows = in.rows();
  const int64_t width = in.width(), column = j * in.D + d;
  F acc[R][C];
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 2
    for (int c = 0; c < C; ++c)
      acc[i][c] = fma(splat(g.pre[(t + i) * in.n + j]), some(g.gx + (t + i) * in.D + d + c * W, lanes),
                      splat(g.along[t + i]) * some(g.h + (t + i) * width + column + c * W, lanes));
  for (int r = 0; r < rows; ++r) {
    F w[C];
#pragma GCC unroll 2
    for (int c = 0; c < C; ++c) w[c] = some(in.fn + r * width + column + c * W, lanes);
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 2
      for (int c = 0; c < C; ++c) acc[i][c] = fma(splat(g.dp[(t + i) * rows + r]), w[c], acc[i][c]);
  }
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 2
    for (int c = 0; c < C; ++c) store_some(g.dh + (t + i) * width + column + c * W, acc[i][c], lanes);
}

// Both products of a group that have the width of the streams.
template <class E>
void spread(const Group<E>& g, const Reading& in, bool begin, float* dfn) {
#if defined(__AVX512F__)
  constexpr int OUTER = 24, TOKENS = 8;  // as many sums as leave registers for the operands
#else
  constexpr int OUTER = 8, TOKENS = 4;
#endif
  const int rows = in.rows();
  const int64_t width = in.width();
  const auto columns = [&](int j, int64_t d, auto C, int lanes) {
    for (int c = 0; c < C; ++c) {
      const int64_t column = j * in.D + d + c * W;
      int r = 0;
      for (; r + OUTER <= rows; r += OUTER) add_outer<OUTER>(g, rows, width, r, column, lanes, begin, dfn);
      for (; r + 4 <= rows; r += 4) add_outer<4>(g, rows, width, r, column, lanes, begin, dfn);
      for (; r < rows; ++r) add_outer<1>(g, rows, width, r, column, lanes, begin, dfn);
    }
    int t = 0;
    for (; t + TOKENS <= g.count; t += TOKENS) write_back<TOKENS, C>(g, in, t, j, d, lanes);
    for (; t < g.count; ++t) write_back<1, C>(g, in, t, j, d, lanes);
  };
  const std::integral_constant<int, 1> one;
  const std::integral_constant<int, 2> two;
  for (int j = 0; j < in.n; ++j) {
    int64_t d = 0;
    for (; d + 2 * W <= in.D; d += 2 * W) columns(j, d, two, W);
    for (; d + W <= in.D; d += W) columns(j, d, one, W);
    if (d < in.D) columns(j, d, one, int(in.D - d));
  }
}

template <class E>
void read_back(const Reading& in, const E* h, const float* kept, const E* gx, const float* gpost, const float* gcomb, E* dh,
               float* dfn, float* dscale, float* dbase) {
  const int n = in.n, rows = in.rows(), scales = in.head ? 1 : 3;
  const int64_t T = in.T, width = in.width(), length = part_rows(T), parts = (T + length - 1) / length;
  const int64_t size = rows * width + scales + rows;  // of the gradients of the parameters, of which each part has its own
  float* sums = reinterpret_cast<float*>(scratch(OUT_SLOT, 4 * parts * size));
  finback::parallel(parts, [&](int64_t p) {
    F total_base[MAX_ROWS] = {}, total_scale[3] = {};
    F* space = reinterpret_cast<F*>(scratch(MIDDLE_SLOT, sizeof(F) * sinkhorn_space(n, in.iters)));
    const int64_t end = (p + 1) * length < T ? (p + 1) * length : T;
    for (int64_t t = p * length; t < end; t += W) {
      const int lanes = int(end - t < W ? end - t : W);
      Group<E> g;
      g.h = h + t * width, g.gx = gx + t * in.D, g.dh = dh + t * width, g.count = lanes;
      F u[MAX_ROWS], logits[MAX_ROWS], grad[MAX_ROWS] = {};
      float* lane = reinterpret_cast<float*>(grad);
      for (int i = 0; i < lanes; ++i)
        for (int j = 0; j < n; ++j) lane[j * W + i] = dot(g.gx + i * in.D, g.h + i * width + j * in.D, in.D);
      for (int r = 0; r < rows; ++r) {
        u[r] = tokens_of(kept, r, T, t, lanes);
        logits[r] = u[r] * in.scale[in.part(r)] + in.base[r];
      }
      F pre[MAX_STREAMS];
      for (int j = 0; j < n; ++j) {
        const F s = sigmoid(logits[j]);
        pre[j] = s + in.eps;
        grad[j] *= (1.0f - s) * s;
      }
      if (!in.head) {
        for (int j = 0; j < n; ++j) {
          const F s = sigmoid(logits[n + j]);
          grad[n + j] = 2.0f * tokens_of(gpost, j, T, t, lanes) * ((1.0f - s) * s);
        }
        for (int i = 0; i < n * n; ++i) grad[2 * n + i] = tokens_of(gcomb, i, T, t, lanes);
        with_streams(n, [&](auto N) { sinkhorn_back<N>(logits + 2 * n, in.iters, in.eps, space, grad + 2 * n); });
      }
      const F factor = tokens_of(kept, rows, T, t, lanes);
      F along{};
      for (int r = 0; r < rows; ++r) {
        total_base[r] += grad[r];
        total_scale[in.part(r)] += grad[r] * u[r];
        const F du = grad[r] * in.scale[in.part(r)];
        along = fma(du, u[r], along);
        grad[r] = du * factor;
      }
      along = -along * factor * factor / float(width);
      for (int i = 0; i < lanes; ++i) {
        for (int r = 0; r < rows; ++r) g.dp[i * rows + r] = lane[r * W + i];
        for (int j = 0; j < n; ++j) g.pre[i * n + j] = pre[j][i];
        g.along[i] = along[i];
      }
      spread(g, in, t == p * length, sums + p * size);
    }
    float* small = sums + p * size + rows * width;
    for (int i = 0; i < scales; ++i) small[i] = sum(total_scale[i]);
    for (int r = 0; r < rows; ++r) small[scales + r] = sum(total_base[r]);
  });
  add_parts(sums, parts, size, rows * width, dfn);
  add_parts(sums + rows * width, parts, size, scales, dscale);
  add_parts(sums + rows * width + scales, parts, size, rows, dbase);
}

}  // namespace

void hc_pre(const void* h, bool bf16, const float* fn, const float* scale, const float* base, int64_t T, int n, int64_t D, int iters,
            float eps, float norm_eps, void* x, float* post, float* comb, float* kept) {
  const Reading in{fn, scale, base, T, n, D, iters, eps, false};
  with_type(bf16, [&](auto e) { read(in, as(e, h), norm_eps, as(e, x), post, comb, kept); });
}

void hc_head(const void* h, bool bf16, const float* fn, const float* scale, const float* base, int64_t T, int n, int64_t D, float eps,
             float norm_eps, void* x, float* kept) {
  const Reading in{fn, scale, base, T, n, D, 0, eps, true};
  with_type(bf16, [&](auto e) { read(in, as(e, h), norm_eps, as(e, x), nullptr, nullptr, kept); });
}

void hc_pre_back(const void* h, bool bf16, const float* fn, const float* scale, const float* base, const float* kept, const void* gx,
                 const float* gpost, const float* gcomb, int64_t T, int n, int64_t D, int iters, float eps, void* dh, float* dfn,
                 float* dscale, float* dbase) {
  const Reading in{fn, scale, base, T, n, D, iters, eps, false};
  with_type(bf16, [&](auto e) { read_back(in, as(e, h), kept, as(e, gx), gpost, gcomb, as(e, dh), dfn, dscale, dbase); });
}

void hc_head_back(const void* h, bool bf16, const float* fn, const float* scale, const float* base, const float* kept, const void* gx,
                  int64_t T, int n, int64_t D, float eps, void* dh, float* dfn, float* dscale, float* dbase) {
  const Reading in{fn, scale, base, T, n, D, 1, eps, true};
  with_type(bf16, [&](auto e) { read_back(in, as(e, h), kept, as(e, gx), nullptr, nullptr, as(e, dh), dfn, dscale, dbase); });
}

}  // namespace FB_LEVEL
