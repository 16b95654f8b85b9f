// Which parts does a forward consist of? What plan.cpp calls in the other files.
#pragma once

#include "model.h"
#include "simd.h"

namespace FB_LEVEL {

// A segment's rows within the chunk that is computed at once: tokens start .. start + length - 1 of a sequence are
// rows first .. first + length - 1.
struct Piece {
  int64_t start, length, first, frozen;  // entries of the first `frozen` tokens stand already
  std::byte *fixed, *pool;
  const int64_t* table;

  template <class T>
  T* ring(int64_t offset) const {
    return reinterpret_cast<T*>(fixed + offset);
  }
};

// Where entry w of a sequence lies; `rows` of them are in a block, `width` elements each.
template <class T>
inline T* entry(const finback::Model& m, const Piece& p, int64_t offset, int64_t rows, int64_t width, int64_t w) {
  return reinterpret_cast<T*>(p.pool + p.table[w / rows] * m.block_bytes + offset) + w % rows * width;
}

// w: either compressor of the block. Expects z without its positional bias and leaves it added. Writes the entries that the pieces finish to
// the cache (`offset` in a block), then the rows that later windows need to the rings. u, z: [rows, channels].
void compress(const finback::Model& m, const finback::Block& b, const finback::CompressorWeights& w, const Piece* pieces, int64_t count, const float* u, float* z,
              int64_t ring_u, int64_t ring_z, int64_t offset);

// For every row, the entries that the indexer picks, in ascending order: picks [rows, topk], picked [rows]. Rows that
// see no more than topk entries get all. q: [rows, index_heads, index_dim], gate: [rows, index_heads].
void select(finback::Model& m, const finback::Block& b, const Piece* pieces, int64_t count, const float* q, const float* gate,
            int32_t* picks, int32_t* picked);

// ops.reference.sparse_attention for all rows. q: [rows, H, c], rotated, times c^-1/2; kv: the rows' own window
// vectors, FP32 or, in other caches, BF16. out: [groups, rows, H / groups * c], turned back by each row's position.
void attend(finback::Model& m, const finback::Block& b, const Piece* pieces, int64_t count, int64_t rows, const float* q,
            const void* kv, const int32_t* picks, const int32_t* picked, const float* cos, const float* sin, float* out);

// Ids and weights [rows, k] of the experts of each row from its logits [rows, E] (report 2.1). Overwrites the logits.
void route(const finback::Model& m, const finback::Block& b, const int64_t* tokens, int64_t rows, float* logits, int64_t* ids,
           float* weights);

}  // namespace FB_LEVEL
