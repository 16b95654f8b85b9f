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

#define FB_KERNELS(K) \
  K(hc_pre) K(forward) K(sparse_attention) K(sparse_attention_backward) K(entry_mass) K(index_scores) K(index_scores_backward) \
  K(pool_windows) K(pool_windows_backward)

namespace finback {

struct Kernels {
  const char* level;
#define FB_FIELD(name) decltype(&portable::name) name;
  FB_KERNELS(FB_FIELD)
#undef FB_FIELD
};

}  // namespace finback
