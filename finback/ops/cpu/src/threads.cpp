#include "threads.h"

#include <atomic>
#include <mutex>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#define FB_PAUSE() _mm_pause()
#else
#define FB_PAUSE() ((void)0)
#endif

namespace finback {
namespace {

// One job at a time. `ticket` holds the job's number in its upper half and the next unclaimed task in its lower
// half, so that a claim can only succeed for the job it was meant for.
struct Pool {
  std::mutex entrance;
  std::atomic<int> wanted{1};
  int started = 1;
  alignas(64) std::atomic<uint64_t> ticket{0};
  alignas(64) std::atomic<int64_t> unfinished{0};
  alignas(64) std::atomic<uint32_t> job{0};
  std::atomic<int64_t> tasks{0};
  std::atomic<void (*)(void*, int64_t)> f{nullptr};
  std::atomic<void*> context{nullptr};

  void work(uint32_t number) {
    uint64_t seen = ticket.load(std::memory_order_acquire);
    while (uint32_t(seen >> 32) == number && int64_t(seen & 0xffffffffu) < tasks.load(std::memory_order_relaxed)) {
      if (!ticket.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) continue;
      f.load(std::memory_order_relaxed)(context.load(std::memory_order_relaxed), int64_t(seen & 0xffffffffu));
      unfinished.fetch_sub(1, std::memory_order_release);
      seen = ticket.load(std::memory_order_acquire);
    }
  }

  void serve(int index) {
    uint32_t last = job.load(std::memory_order_acquire);
    for (;;) {
      // Between the kernels of one forward lie microseconds: spin through those, sleep through longer pauses.
      uint32_t now = last;
      for (int i = 0; i < 4000 && now == last; ++i) {
        FB_PAUSE();
        now = job.load(std::memory_order_acquire);
      }
      if (now == last) {
        job.wait(last, std::memory_order_acquire);
        now = job.load(std::memory_order_acquire);
      }
      last = now;
      if (index < wanted.load(std::memory_order_relaxed)) work(now);
    }
  }
};

Pool& pool() {
  static Pool* p = new Pool;  // never destroyed: its threads may still wait when the process ends
  return *p;
}

}  // namespace

void set_threads(int count) { pool().wanted.store(count < 1 ? 1 : count); }

int threads() { return pool().wanted.load(); }

void run(int64_t tasks, void (*f)(void*, int64_t), void* context) {
  Pool& p = pool();
  std::lock_guard<std::mutex> lock(p.entrance);
  const int wanted = p.wanted.load();
  if (wanted == 1 || tasks == 1) {
    for (int64_t i = 0; i < tasks; ++i) f(context, i);
    return;
  }
  for (; p.started < wanted; ++p.started) std::thread(&Pool::serve, &p, p.started).detach();
  const uint32_t number = p.job.load(std::memory_order_relaxed) + 1;
  // A worker of the last job may still look at `tasks`; its claim then fails, because the ticket changes last.
  p.ticket.store(uint64_t(number - 1) << 32 | 0xffffffffu, std::memory_order_release);
  p.tasks.store(tasks, std::memory_order_relaxed);
  p.f.store(f, std::memory_order_relaxed);
  p.context.store(context, std::memory_order_relaxed);
  p.unfinished.store(tasks, std::memory_order_relaxed);
  p.ticket.store(uint64_t(number) << 32, std::memory_order_release);
  p.job.store(number, std::memory_order_release);
  p.job.notify_all();
  p.work(number);
  for (int spins = 0; p.unfinished.load(std::memory_order_acquire) > 0; ++spins) {
    if (spins < 20000) FB_PAUSE();
    else std::this_thread::yield();  // a worker holds a task and was taken off its core
  }
}

}  // namespace finback
