// What does a whole forward compute, from token ids to logits? (report figure 2) The blocks, for a flat batch of
// segments, a chunk of rows at a time: each row's result depends on its own sequence only, so chunks do not show.
#include "plan.h"

#include <algorithm>
#include <cmath>

#include "entries.h"
#include "kernels.h"
#include "moe.h"
#include "rows.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

using finback::Block;
using finback::Buffer;
using finback::HyperConnection;
using finback::Model;
using finback::Rounding;
using finback::Weight;

constexpr int64_t CHUNK = 512;  // rows at a time: what they leave between the steps stays in the caches' reach

// Rows and what they are rounded to, made when a product first asks for it.
class Input {
 public:
  Input(const float* x, int64_t T, int64_t K, Buffer* space) : x_(x), T_(T), K_(K), space_(space) {}
  const Rows& operator[](Rounding rounding) {
    const int i = int(rounding);
    if (!made_[i]) rows_[i] = round_rows(x_, T_, K_, rounding, space_[i].get<char>(rounded_bytes(rounding, T_, K_)));
    made_[i] = true;
    return rows_[i];
  }

 private:
  const float* x_;
  int64_t T_, K_;
  Buffer* space_;
  Rows rows_[4];
  bool made_[4] = {};
};

void product(Input& x, const Weight& w, float* y, int64_t stride) { multiply(x[w.rounding], w.matrix, y, stride); }

// The final vector of one token's streams, normed.
void collapse(const Model& m, const HyperConnection& hc, const float* norm, const float* h, float* out) {
  const int64_t width = m.n * m.D;
  const float factor = 1.0f / std::sqrt(dot(h, h, width) / float(width) + m.norm_eps);
  std::fill(out, out + m.D, 0.0f);
  for (int64_t j = 0; j < m.n; ++j) {
    const float logit = dot(hc.fn + j * width, h, width) * factor * hc.scale[0] + hc.base[j];
    const float weight = 1.0f / (1.0f + std::exp(-logit)) + m.hc_eps;
    for (int64_t d = 0; d < m.D; ++d) out[d] += weight * h[j * m.D + d];
  }
  rms_norm(out, norm, m.D, m.norm_eps, 1.0f, out);
}

// What the blocks of one chunk share.
struct Chunk {
  Model& m;
  int64_t T;
  const int64_t* tokens;
  std::vector<Piece> pieces;
  const float *cos[2], *sin[2];  // [T, r], without and with compression
  float* h;                      // [T, n, D]
};

void angles(Chunk& chunk) {
  Model& m = chunk.m;
  float* all = m.scratch.cos.get<float>(4 * chunk.T * m.r);
  for (int family = 0; family < 2; ++family) {
    float *cos = all + 2 * family * chunk.T * m.r, *sin = cos + chunk.T * m.r;
    chunk.cos[family] = cos, chunk.sin[family] = sin;
    for (const Piece& p : chunk.pieces)
      finback::parallel_rows(p.length, 64, [&](int64_t first, int64_t end) {
        for (int64_t i = first; i < end; ++i)
          for (int64_t f = 0; f < m.r; ++f) {
            const float angle = float(p.start + i) * m.freqs[family][f];
            cos[(p.first + i) * m.r + f] = std::cos(angle), sin[(p.first + i) * m.r + f] = std::sin(angle);
          }
      });
  }
}

// x: [T, D] normed input. Leaves [T, D] in y.
void attention(const Chunk& chunk, const Block& b, const float* x, float* y) {
  Model& m = chunk.m;
  finback::Scratch& s = m.scratch;
  const int64_t T = chunk.T, pieces = int64_t(chunk.pieces.size()), c = m.c, r = m.r, group = m.H / m.groups * c;
  const float *cos = chunk.cos[b.ratio > 0], *sin = chunk.sin[b.ratio > 0];
  float *latent = s.latent.get<float>(T * m.q_rank), *q = s.q.get<float>(T * m.H * c), *kv = s.kv.get<float>(T * c);
  float *u = nullptr, *z = nullptr, *index_u = nullptr, *index_z = nullptr, *index_q = nullptr, *index_gate = nullptr;
  int32_t *picks = nullptr, *picked = nullptr;

  Input in(x, T, m.D, s.rounded);
  product(in, b.wq_a, latent, m.q_rank);
  product(in, b.wkv, kv, c);
  if (b.ratio) {
    u = s.u.get<float>(T * b.compressor.channels), z = s.z.get<float>(T * b.compressor.channels);
    product(in, b.compressor.wkv, u, b.compressor.channels);
    product(in, b.compressor.wgate, z, b.compressor.channels);
  }
  if (b.csa) {
    const int64_t channels = b.index_compressor.channels;
    index_u = s.index_u.get<float>(T * channels), index_z = s.index_z.get<float>(T * channels);
    index_gate = s.index_gate.get<float>(T * m.index_heads);
    product(in, b.index_compressor.wkv, index_u, channels);
    product(in, b.index_compressor.wgate, index_z, channels);
    product(in, b.index_weights, index_gate, m.index_heads);
  }
  const bool fp8 = m.cache == finback::Cache::fp8, narrow = m.cache != finback::Cache::fp32;
  const int64_t row_bytes = fp8 ? entry_bytes(c, r) : (narrow ? 2 : 4) * c;
  uint8_t* rows = fp8 ? s.rows.get<uint8_t>(T * row_bytes) : nullptr;  // the vectors as the window keeps them
  finback::parallel_rows(T, 32, [&](int64_t first, int64_t end) {
    for (int64_t t = first; t < end; ++t) {
      rms_norm(latent + t * m.q_rank, b.q_norm, m.q_rank, m.norm_eps, 1.0f, latent + t * m.q_rank);
      float* v = kv + t * c;
      rms_norm(v, b.kv_norm, c, m.norm_eps, 1.0f, v);
      rotate(v + c - 2 * r, cos + t * r, sin + t * r, r, 1.0f);
      if (fp8) encode_entry(v, c, r, rows + t * row_bytes);
      // a BF16 row takes the first half of its FP32 row's place, and rows are packed below
      if (fp8) decode_entry(rows + t * row_bytes, c, r, reinterpret_cast<uint16_t*>(v));
      else if (narrow) store_row(reinterpret_cast<uint16_t*>(v), v, c);
    }
  });
  if (narrow)
    for (int64_t t = 1; t < T; ++t) std::memmove(reinterpret_cast<uint16_t*>(kv) + t * c, kv + t * c, 2 * c);
  if (!fp8) rows = reinterpret_cast<uint8_t*>(kv);

  Input down(latent, T, m.q_rank, s.rounded);
  product(down, b.wq_b, q, m.H * c);
  if (b.csa) {
    index_q = s.index_q.get<float>(T * m.index_heads * m.index_dim);
    product(down, b.index_wq_b, index_q, m.index_heads * m.index_dim);
  }
  const float scale = 1.0f / std::sqrt(float(c)), index_scale = 1.0f / std::sqrt(float(m.index_dim)) / std::sqrt(float(m.index_heads));
  finback::parallel_rows(T, 16, [&](int64_t first, int64_t end) {
    for (int64_t t = first; t < end; ++t) {
      for (int64_t i = t * m.H; i < (t + 1) * m.H; ++i) {
        rms_norm(q + i * c, nullptr, c, m.norm_eps, scale, q + i * c);
        rotate(q + (i + 1) * c - 2 * r, cos + t * r, sin + t * r, r, 1.0f);
      }
      for (int64_t i = t * m.index_heads; b.csa && i < (t + 1) * m.index_heads; ++i) {
        rotate(index_q + (i + 1) * m.index_dim - 2 * r, cos + t * r, sin + t * r, r, 1.0f);
        if (m.fp4_index) round_index(index_q + i * m.index_dim, m.index_dim);
        index_gate[i] *= index_scale;
      }
    }
  });
  const Piece* p = chunk.pieces.data();
  const finback::Places& at = b.places;
  if (b.ratio) compress(m, b, b.compressor, p, pieces, u, z, at.u, at.z, at.entries);
  if (b.csa) {
    compress(m, b, b.index_compressor, p, pieces, index_u, index_z, at.index_u, at.index_z, at.keys);
    picks = s.picks.get<int32_t>(T * m.topk), picked = s.picked.get<int32_t>(T);
    select(m, b, p, pieces, index_q, index_gate, picks, picked);
  }
  float *out = s.out.get<float>(T * m.H * c), *low = s.low.get<float>(T * m.groups * m.o_rank);
  attend(m, b, p, pieces, T, q, kv, picks, picked, cos, sin, out);
  for (const Piece& piece : chunk.pieces)
    for (int64_t i = std::max<int64_t>(piece.length - m.window, 0); i < piece.length; ++i)
      std::memcpy(piece.fixed + at.window + (piece.start + i) % m.window * row_bytes, rows + (piece.first + i) * row_bytes, row_bytes);
  // grouped low-rank projection (report 2.3.3): heads of a group to o_rank, groups to D
  for (int64_t g = 0; g < m.groups; ++g) {
    Input heads(out + g * T * group, T, group, s.rounded);
    product(heads, b.wo_a[g], low + g * m.o_rank, m.groups * m.o_rank);
  }
  Input joined(low, T, m.groups * m.o_rank, s.rounded);
  product(joined, b.wo_b, y, m.D);
}

void block(const Chunk& chunk, const Block& b) {
  Model& m = chunk.m;
  finback::Scratch& s = m.scratch;
  const int64_t T = chunk.T, n = m.n, D = m.D;
  float *x = s.x.get<float>(T * D), *y = s.y.get<float>(T * D), *post = s.post.get<float>(n * T), *comb = s.comb.get<float>(n * n * T);
  const auto read = [&](const HyperConnection& hc, const float* norm) {
    hc_pre(chunk.h, false, hc.fn, hc.scale, hc.base, T, int(n), D, int(m.sinkhorn), m.hc_eps, m.norm_eps, x, post, comb, nullptr);
    finback::parallel_rows(T, 64, [&](int64_t first, int64_t end) {
      for (int64_t t = first; t < end; ++t) rms_norm(x + t * D, norm, D, m.norm_eps, 1.0f, x + t * D);
    });
  };
  read(b.hc_attn, b.attn_norm);
  attention(chunk, b, x, y);
  hc_post(y, chunk.h, false, post, comb, T, int(n), D, chunk.h);

  read(b.hc_ffn, b.ffn_norm);
  float* logits = s.affinities.get<float>(T * m.E);
  int64_t* ids = s.ids.get<int64_t>(T * m.k);
  float* weights = s.weights.get<float>(T * m.k);
  Input in(x, T, D, s.rounded);
  product(in, b.gate, logits, m.E);
  route(m, b, chunk.tokens, T, logits, ids, weights);
  experts(x, T, D, m.inner, ids, weights, m.k, b.w1.data(), b.w2.data(), b.w3.data(), m.E, m.limit, b.expert_rounding, y);
  hc_post(y, chunk.h, false, post, comb, T, int(n), D, chunk.h);
}

void embed(const Model& m, const int64_t* tokens, int64_t T, float* x) {
  finback::parallel_rows(T, 64, [&](int64_t first, int64_t end) {
    for (int64_t t = first; t < end; ++t)
      for (int64_t d = 0; d < m.D; ++d) {
        const int64_t i = tokens[t] * m.D + d;
        x[t * m.D + d] = m.embed.format == finback::Format::fp32 ? static_cast<const float*>(m.embed.data)[i]
                                                                 : bf16_to_float(static_cast<const uint16_t*>(m.embed.data)[i]);
      }
  });
}

// The streams [T, n, D] at the first block: the embedding n times, or what an MTP block makes of the streams `given`.
void begin(Chunk& chunk, int64_t depth, const float* given) {
  Model& m = chunk.m;
  const int64_t T = chunk.T, n = m.n, D = m.D;
  float* e = m.scratch.x.get<float>(T * D);
  embed(m, chunk.tokens, T, e);
  if (depth >= 0) {
    const finback::MTPHead& mtp = m.mtp[depth];
    float *y = m.scratch.y.get<float>(T * D), *normed = m.scratch.joined.get<float>(T * n * D);
    finback::parallel_rows(T, 16, [&](int64_t first, int64_t end) {
      for (int64_t t = first; t < end; ++t) rms_norm(e + t * D, mtp.enorm, D, m.norm_eps, 1.0f, e + t * D);
      for (int64_t t = first * n; t < end * n; ++t) rms_norm(given + t * D, mtp.hnorm, D, m.norm_eps, 1.0f, normed + t * D);
    });
    Input in(e, T, D, m.scratch.rounded);
    product(in, mtp.e_proj, y, D);
    Input streams(normed, T * n, D, m.scratch.rounded);
    product(streams, mtp.h_proj, chunk.h, D);
    e = y;
  }
  finback::parallel_rows(T, 16, [&](int64_t first, int64_t end) {
    for (int64_t i = first * n; i < end * n; ++i)
      for (int64_t d = 0; d < D; ++d) chunk.h[i * D + d] = depth < 0 ? e[i / n * D + d] : chunk.h[i * D + d] + e[i / n * D + d];
  });
}

}  // namespace

void forward(Model* model, const int64_t* tokens, int64_t T, const int64_t* segments, int64_t depth, const float* given,
             const int64_t* rows, int64_t R, float* logits, float* streams) {
  Model& m = *model;
  const std::lock_guard<std::mutex> lock(m.busy);
  const int64_t width = m.n * m.D;
  float* hidden = m.scratch.hidden.get<float>(R * m.D);
  int64_t segment = 0, used = 0;  // the next row belongs to this segment, of which so many rows are done
  for (int64_t a = 0; a < T; a += CHUNK) {
    Chunk chunk{m, std::min(CHUNK, T - a), tokens + a, {}, {}, {}, m.scratch.h.get<float>(std::min(CHUNK, T) * width)};
    for (int64_t filled = 0; filled < chunk.T;) {
      const int64_t* d = segments + 6 * segment;
      const int64_t take = std::min(d[1] - used, chunk.T - filled);
      if (take)
        chunk.pieces.push_back({d[0] + used, take, filled, d[2], reinterpret_cast<std::byte*>(d[3]), reinterpret_cast<std::byte*>(d[4]),
                                reinterpret_cast<const int64_t*>(d[5])});
      filled += take, used += take;
      if (used == d[1]) ++segment, used = 0;
    }
    angles(chunk);
    begin(chunk, depth, given ? given + a * width : nullptr);
    if (depth < 0)
      for (int64_t i = 0; i < m.layers; ++i) block(chunk, m.blocks[i]);
    else block(chunk, m.blocks[m.layers + depth]);
    if (streams) std::memcpy(streams + a * width, chunk.h, 4 * chunk.T * width);
    finback::parallel_rows(R, 4, [&](int64_t first, int64_t end) {
      for (int64_t i = first; i < end; ++i)
        if (rows[i] >= a && rows[i] < a + chunk.T)
          collapse(m, depth < 0 ? m.hc_head : m.mtp[depth].hc_head, depth < 0 ? m.norm : m.mtp[depth].norm, chunk.h + (rows[i] - a) * width,
                   hidden + i * m.D);
    });
  }
  if (!R) return;
  Input in(hidden, R, m.D, m.scratch.rounded);
  product(in, m.head, logits, m.V);
}

}  // namespace FB_LEVEL
