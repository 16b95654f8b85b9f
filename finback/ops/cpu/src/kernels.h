// Which kernels are there, and which level's are used? One table of function pointers for each level.
#pragma once

#include <cstdint>

namespace finback {
struct Model;
}

namespace portable {
#include "signatures.h"
}
namespace avx2 {
#include "signatures.h"
}
namespace avx512 {
#include "signatures.h"
}
namespace avx512bf16 {
#include "signatures.h"
}

#define FB_KERNELS(K)                                                                            \
  K(hc_pre) K(hc_pre_back) K(hc_head) K(hc_head_back) K(hc_post) K(hc_post_back) K(norm_rows)   \
  K(norm_rows_back) K(turn_rows) K(expert_order) K(gather_rows) K(add_rows) K(swiglu_forward)   \
  K(swiglu_backward) K(sparse_attention) K(sparse_attention_backward) K(entry_mass)             \
  K(index_scores) K(index_scores_backward) K(pool_windows) K(pool_windows_backward) K(forward)

namespace finback {

struct Kernels {
  const char* level;
#define FB_FIELD(name) decltype(&portable::name) name;
  FB_KERNELS(FB_FIELD)
#undef FB_FIELD
};

}  // namespace finback
