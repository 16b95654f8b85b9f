// This level's kernels, as one table.
#include "kernels.h"

namespace FB_LEVEL {

#define FB_STRING(x) #x
#define FB_NAME(x) FB_STRING(x)
#define FB_ENTRY(name) &name,
extern const finback::Kernels table;
const finback::Kernels table = {FB_NAME(FB_LEVEL), FB_KERNELS(FB_ENTRY)};

}  // namespace FB_LEVEL
