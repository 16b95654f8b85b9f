// Where do kernels put intermediates? In buffers that each thread keeps and that only ever grow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace FB_LEVEL {
namespace {

enum Slot { PANEL_SLOT, PIECE_SLOT, ROWS_SLOT, MIDDLE_SLOT, OUT_SLOT, SORT_SLOT, BLOCK_SLOT, SLOTS };

// At least `bytes`, aligned to a cache line, of undefined content; valid until this thread asks for the slot again.
inline char* scratch(Slot slot, int64_t bytes) {
  struct Free {
    void operator()(char* p) const { operator delete[](p, std::align_val_t(64)); }
  };
  struct Buffer {
    std::unique_ptr<char, Free> data;
    int64_t size = 0;
  };
  static thread_local Buffer buffers[SLOTS];
  Buffer& b = buffers[slot];
  if (b.size < bytes) {
    b.data.reset();
    b.size = 0;
    b.data.reset(static_cast<char*>(operator new[](size_t(bytes + bytes / 4), std::align_val_t(64))));
    b.size = bytes + bytes / 4;
  }
  return b.data.get();
}

inline int64_t align64(int64_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace
}  // namespace FB_LEVEL
