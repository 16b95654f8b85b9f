#include "model.h"

#include <stdexcept>

namespace finback {
namespace {

struct Reader {
  const Model::Described& tensors;

  Weight weight(const std::string& name, int64_t N, int64_t K) const {
    const auto found = tensors.find(name);
    if (found == tensors.end()) throw std::invalid_argument("the plan lacks the weight " + name);
    const auto& [address, format, rows, columns, scale, rounding] = found->second;
    if (rows != N || columns != K)
      throw std::invalid_argument(name + " is " + std::to_string(rows) + " x " + std::to_string(columns) + "; the config wants " +
                                  std::to_string(N) + " x " + std::to_string(K));
    return {{Format(format), N, K, reinterpret_cast<const void*>(address), reinterpret_cast<const void*>(scale)}, Rounding(rounding)};
  }

  const float* floats(const std::string& name, int64_t N, int64_t K = 1) const {
    const Weight w = weight(name, N, K);
    if (w.matrix.format != Format::fp32) throw std::invalid_argument(name + " must be FP32");
    return static_cast<const float*>(w.matrix.data);
  }

  HyperConnection hyper_connection(const std::string& prefix, int64_t rows, int64_t scales, int64_t width) const {
    return {floats(prefix + "_fn", rows, width), floats(prefix + "_scale", scales), floats(prefix + "_base", rows)};
  }

  CompressorWeights compressor(const std::string& prefix, int64_t D, int64_t dim, int64_t ratio, bool overlap, bool fp4) const {
    const int64_t channels = overlap ? 2 * dim : dim;
    return {ratio, dim, channels, overlap, fp4, weight(prefix + ".wkv.weight", channels, D),
            weight(prefix + ".wgate.weight", channels, D), floats(prefix + ".ape", ratio, channels), floats(prefix + ".norm.weight", dim)};
  }
};

}  // namespace

Model::Model(const std::map<std::string, double>& config, const std::vector<int64_t>& ratios,
             const std::vector<std::array<int64_t, 7>>& places, const Described& tensors) {
  const auto whole = [&](const char* name) { return int64_t(config.at(name)); };
  const Reader read{tensors};
  D = whole("hidden_size"), n = whole("hc_mult"), layers = whole("num_hidden_layers");
  H = whole("num_attention_heads"), c = whole("head_dim"), r = whole("qk_rope_head_dim") / 2, q_rank = whole("q_lora_rank");
  groups = whole("o_groups"), o_rank = whole("o_lora_rank"), window = whole("sliding_window");
  index_heads = whole("index_n_heads"), index_dim = whole("index_head_dim"), topk = whole("index_topk");
  E = whole("n_routed_experts"), k = whole("num_experts_per_tok"), inner = whole("moe_intermediate_size"), V = whole("vocab_size");
  sinkhorn = whole("hc_sinkhorn_iters"), block_tokens = whole("block_tokens"), block_bytes = whole("block_bytes");
  hc_eps = float(config.at("hc_eps")), norm_eps = float(config.at("rms_norm_eps")), limit = float(config.at("swiglu_limit"));
  route_scale = float(config.at("routed_scaling_factor"));
  cache = Cache(whole("cache_format")), fp4_index = whole("index_fp4");
  embed = read.weight("embed.weight", V, D).matrix;
  head = read.weight("head.weight", V, D);
  norm = read.floats("norm.weight", D);
  freqs[0] = read.floats("freqs.plain", r), freqs[1] = read.floats("freqs.compressed", r);
  hc_head = read.hyper_connection("hc_head", n, 1, n * D);

  const int64_t csa_ratio = whole("csa_ratio"), hash_layers = whole("num_hash_layers");
  for (size_t i = 0; i < ratios.size(); ++i) {
    const bool is_mtp = int64_t(i) >= layers;
    const std::string p = is_mtp ? "mtp." + std::to_string(i - layers) + "." : "layers." + std::to_string(i) + ".";
    Block b{};
    b.ratio = ratios[i], b.csa = b.ratio == csa_ratio;
    const auto& at = places[i];
    b.places = {at[0], at[1], at[2], at[3], at[4], at[5], at[6]};
    b.hc_attn = read.hyper_connection(p + "hc_attn", (2 + n) * n, 3, n * D);
    b.hc_ffn = read.hyper_connection(p + "hc_ffn", (2 + n) * n, 3, n * D);
    b.attn_norm = read.floats(p + "attn_norm.weight", D), b.ffn_norm = read.floats(p + "ffn_norm.weight", D);
    b.q_norm = read.floats(p + "attn.q_norm.weight", q_rank), b.kv_norm = read.floats(p + "attn.kv_norm.weight", c);
    b.sink = read.floats(p + "attn.attn_sink", H);
    b.wq_a = read.weight(p + "attn.wq_a.weight", q_rank, D), b.wq_b = read.weight(p + "attn.wq_b.weight", H * c, q_rank);
    b.wkv = read.weight(p + "attn.wkv.weight", c, D), b.wo_b = read.weight(p + "attn.wo_b.weight", D, groups * o_rank);
    for (int64_t g = 0; g < groups; ++g)
      b.wo_a.push_back(read.weight(p + "attn.wo_a." + std::to_string(g) + ".weight", o_rank, H / groups * c));
    if (b.ratio) b.compressor = read.compressor(p + "attn.compressor", D, c, b.ratio, b.csa, false);
    if (b.csa) {
      b.index_compressor = read.compressor(p + "attn.indexer.compressor", D, index_dim, b.ratio, true, fp4_index);
      b.index_wq_b = read.weight(p + "attn.indexer.wq_b.weight", index_heads * index_dim, q_rank);
      b.index_weights = read.weight(p + "attn.indexer.weights_proj.weight", index_heads, D);
    }
    b.gate = read.weight(p + "ffn.gate.weight", E, D);
    if (int64_t(i) < hash_layers) b.tid2eid = static_cast<const int64_t*>(read.weight(p + "ffn.gate.tid2eid", V, k).matrix.data);
    else b.gate_bias = read.floats(p + "ffn.gate.bias", E);
    for (int64_t e = 0; e <= E; ++e) {
      const std::string expert = p + (e < E ? "ffn.experts." + std::to_string(e) : "ffn.shared_experts");
      const Weight first = read.weight(expert + ".w1.weight", inner, D);
      if (e && first.rounding != b.expert_rounding)
        throw std::invalid_argument(expert + " is multiplied with other activations than " + p + "ffn.experts.0: store both in FP32, or neither");
      b.expert_rounding = first.rounding;
      b.w1.push_back(first.matrix);
      b.w2.push_back(read.weight(expert + ".w2.weight", D, inner).matrix);
      b.w3.push_back(read.weight(expert + ".w3.weight", inner, D).matrix);
    }
    blocks.push_back(std::move(b));
    if (is_mtp)
      mtp.push_back({read.weight(p + "e_proj.weight", D, D), read.weight(p + "h_proj.weight", D, D), read.floats(p + "enorm.weight", D),
                     read.floats(p + "hnorm.weight", D), read.floats(p + "norm.weight", D),
                     read.hyper_connection(p + "hc_head", n, 1, n * D)});
  }
}

}  // namespace finback
