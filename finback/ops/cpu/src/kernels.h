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

#define FB_KERNELS(K) K(hc_pre) K(forward) K(expert_order) K(gather_rows) K(add_rows) K(swiglu_forward) K(swiglu_backward)

namespace finback {

struct Kernels {
  const char* level;
#define FB_FIELD(name) decltype(&portable::name) name;
  FB_KERNELS(FB_FIELD)
#undef FB_FIELD
};

}  // namespace finback
