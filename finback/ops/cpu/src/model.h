// What does a plan know of a model? Addresses of its weights, its numbers, and where its cache lies.
//
// Weights carry the names of the checkpoint. Nothing is copied: whoever builds a Model keeps the memory alive.
// Letters as in the report: D hidden size, n streams, H heads of c channels, m tokens per entry.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "matrix.h"

namespace finback {

struct Weight {
  Matrix matrix;
  Rounding rounding;  // of the rows that it multiplies
};

// report 2.3.1 and 2.3.2: rows of `channels` (twice `dim` where windows overlap), a window of m rows gives one entry.
struct CompressorWeights {
  int64_t ratio, dim, channels;
  bool overlap, fp4;  // fp4: entries are turned and rounded, see `round_index`
  Weight wkv, wgate;
  const float *ape, *norm;
};

struct HyperConnection {
  const float *fn, *scale, *base;
};

// Byte offsets in a sequence's fixed buffer (rings) and in a cache block (entries, keys).
struct Places {
  int64_t window, u, z, index_u, index_z, entries, keys;
};

struct Block {
  int64_t ratio;  // 0: no compression
  bool csa;
  Places places;
  HyperConnection hc_attn, hc_ffn;
  const float *attn_norm, *ffn_norm, *q_norm, *kv_norm, *sink;
  Weight wq_a, wq_b, wkv, wo_b;
  std::vector<Weight> wo_a;  // by group
  CompressorWeights compressor, index_compressor;
  Weight index_wq_b, index_weights;
  Weight gate;
  const float* gate_bias;     // either this
  const int64_t* tid2eid;     // or this [V, k]
  std::vector<Matrix> w1, w2, w3;  // routed experts, the shared one last
  Rounding expert_rounding;
};

struct MTPHead {  // what an MTP block has beside a block
  Weight e_proj, h_proj;
  const float *enorm, *hnorm, *norm;
  HyperConnection hc_head;
};

// Uninitialised memory that only grows.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }
  template <class T>
  T* get(int64_t count) {
    const size_t bytes = (size_t(count) * sizeof(T) + 127) / 64 * 64;  // never empty
    if (bytes > size_) {
      std::free(data_);
      size_ = 0;
      data_ = std::aligned_alloc(64, bytes);
      if (!data_) throw std::bad_alloc();
      size_ = bytes;
    }
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

struct Scratch {
  Buffer h, x, y, post, comb, cos, latent, q, kv, u, z, index_u, index_z, index_q, index_gate, scores, picks, picked, out, low,
      affinities, ids, weights, hidden, joined, rows, index_codes, index_scales, index_sums, entries;
  Buffer rounded[4];  // by Rounding
};

// What windows, entries and keys are kept in: fp8 is the report's layout (entries.h), where keys are FP4 if the indexer
// computes in it, else BF16.
enum class Cache : int { fp32 = 0, bf16 = 1, fp8 = 2 };

struct Model {
  int64_t D, n, layers, H, c, r, q_rank, groups, o_rank, window, index_heads, index_dim, topk, E, k, inner, V, sinkhorn, block_tokens,
      block_bytes;
  float hc_eps, norm_eps, limit, route_scale;
  Cache cache;
  bool fp4_index;
  Matrix embed;
  Weight head;
  const float *norm, *freqs[2];  // frequencies of the rotations [r], without and with compression
  HyperConnection hc_head;
  std::vector<Block> blocks;  // layers, then MTP blocks
  std::vector<MTPHead> mtp;
  Scratch scratch;
  std::mutex busy;  // one forward at a time: they share the scratch

  // A tensor's address, format, rows, columns, its scale's address, and the rounding of what it multiplies.
  using Described = std::map<std::string, std::array<int64_t, 6>>;
  // config: the numbers of ModelConfig by name; ratios and places: by block. Throws std::invalid_argument where a
  // tensor is missing or has another shape.
  Model(const std::map<std::string, double>& config, const std::vector<int64_t>& ratios, const std::vector<std::array<int64_t, 7>>& places,
        const Described& tensors);
};

}  // namespace finback
