// How do m tokens become one compressed entry? (report 2.3.1 for CSA, 2.3.2 for HCA)
#include <algorithm>
#include <vector>

#include "entries.h"
#include "plan.h"
#include "rows.h"
#include "threads.h"

namespace FB_LEVEL {
namespace {

// Channels d .. d+lanes-1: the softmax of z over the rows weighs u.
F pool_channels(const std::vector<const float*>& u, const std::vector<const float*>& z, int64_t d, int lanes) {
  const auto get = [&](const float* p) { return lanes == W ? load(p + d) : load(p + d, lanes); };
  F top = get(z[0]), total{}, out{};
  for (size_t j = 1; j < z.size(); ++j) top = max(top, get(z[j]));
  for (size_t j = 0; j < z.size(); ++j) {
    const F e = exp(get(z[j]) - top);
    total = total + e;
    out = fma(e, get(u[j]), out);
  }
  return out / total;
}

void finish(const finback::Model& m, const finback::Block& b, const finback::CompressorWeights& c, const Piece& p, int64_t w, const float* u, const float* z,
            int64_t ring_u, int64_t ring_z, int64_t offset) {
  thread_local std::vector<const float*> us, zs;
  thread_local std::vector<float> pooled, angles;
  us.clear(), zs.clear();
  const int64_t ring = c.overlap ? 2 * c.ratio : c.ratio, begin = w * c.ratio;
  // the first half of the channels of the window before, then the second half of its own (report: S^b, S^a)
  for (int64_t t = c.overlap ? std::max<int64_t>(begin - c.ratio, 0) : begin; t < begin + c.ratio; ++t) {
    const int64_t half = c.overlap && t >= begin ? c.dim : 0;
    const bool old = t < p.start;
    us.push_back((old ? p.ring<float>(ring_u) + t % ring * c.channels : u + (p.first + t - p.start) * c.channels) + half);
    zs.push_back((old ? p.ring<float>(ring_z) + t % ring * c.channels : z + (p.first + t - p.start) * c.channels) + half);
  }
  pooled.resize(c.dim), angles.resize(2 * m.r);
  int64_t d = 0;
  for (; d + W <= c.dim; d += W) store(pooled.data() + d, pool_channels(us, zs, d, W));
  if (d < c.dim) store(pooled.data() + d, pool_channels(us, zs, d, int(c.dim - d)), int(c.dim - d));
  rms_norm(pooled.data(), c.norm, c.dim, m.norm_eps, 1.0f, pooled.data());
  for (int64_t i = 0; i < m.r; ++i) {
    const float angle = float(begin) * m.freqs[1][i];
    angles[i] = std::cos(angle), angles[m.r + i] = std::sin(angle);
  }
  rotate(pooled.data() + c.dim - 2 * m.r, angles.data(), angles.data() + m.r, m.r, 1.0f);
  if (c.fp4) round_index(pooled.data(), c.dim);
  const int64_t rows = m.block_tokens / c.ratio;
  const bool key = &c != &b.compressor;
  if (m.cache == finback::Cache::fp32) store_row(entry<float>(m, p, offset, rows, c.dim, w), pooled.data(), c.dim);
  else if (m.cache == finback::Cache::fp8 && !key) encode_entry(pooled.data(), c.dim, m.r, entry<uint8_t>(m, p, offset, rows, entry_bytes(c.dim, m.r), w));
  else if (m.cache == finback::Cache::fp8 && c.fp4) encode_key(pooled.data(), c.dim, entry<uint8_t>(m, p, offset, rows, key_bytes(c.dim), w));
  else store_row(entry<uint16_t>(m, p, offset, rows, c.dim, w), pooled.data(), c.dim);
}

}  // namespace

void compress(const finback::Model& m, const finback::Block& b, const finback::CompressorWeights& c, const Piece* pieces, int64_t count, const float* u, float* z,
              int64_t ring_u, int64_t ring_z, int64_t offset) {
  const Piece& last = pieces[count - 1];
  finback::parallel_rows(last.first + last.length, 64, [&](int64_t first, int64_t end) {
    const Piece* p = pieces;
    for (int64_t row = first; row < end; ++row) {
      while (row >= p->first + p->length) ++p;
      const float* ape = c.ape + (p->start + row - p->first) % c.ratio * c.channels;
      for (int64_t d = 0; d < c.channels; ++d) z[row * c.channels + d] += ape[d];
    }
  });
  std::vector<std::pair<const Piece*, int64_t>> entries;
  for (const Piece* p = pieces; p < pieces + count; ++p)
    for (int64_t w = std::max(p->start, p->frozen) / c.ratio; w < (p->start + p->length) / c.ratio; ++w) entries.emplace_back(p, w);
  finback::parallel(int64_t(entries.size()), [&](int64_t i) {
    const auto& [p, w] = entries[i];
    finish(m, b, c, *p, w, u, z, ring_u, ring_z, offset);
  });
  const int64_t ring = c.overlap ? 2 * c.ratio : c.ratio;
  for (const Piece* p = pieces; p < pieces + count; ++p)
    for (int64_t i = std::max<int64_t>(p->length - ring, 0); i < p->length; ++i) {
      const int64_t slot = (p->start + i) % ring * c.channels, row = (p->first + i) * c.channels;
      store_row(p->ring<float>(ring_u) + slot, u + row, c.channels);
      store_row(p->ring<float>(ring_z) + slot, z + row, c.channels);
    }
}

}  // namespace FB_LEVEL
