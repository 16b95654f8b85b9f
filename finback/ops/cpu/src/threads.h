// How is work shared among cores? One pool of threads, which a kernel enters with a number of tasks.
#pragma once

#include <cstdint>

namespace finback {

// How many threads work, the caller included. Threads are made when they are first needed.
void set_threads(int count);
int threads();

// Calls f(context, task) for every task in 0..tasks-1 and returns when all are done. Tasks are claimed one by
// one, so a thread that the system does not run holds nothing up. Tasks must not call `run` themselves.
void run(int64_t tasks, void (*f)(void* context, int64_t task), void* context);

template <class Body>
inline void parallel(int64_t tasks, const Body& body) {
  if (tasks <= 1) {
    if (tasks == 1) body(0);
    return;
  }
  run(tasks, [](void* context, int64_t task) { (*static_cast<const Body*>(context))(task); }, const_cast<Body*>(&body));
}

// Rows 0..rows-1 in tasks of `grain` rows: body(first, end).
template <class Body>
inline void parallel_rows(int64_t rows, int64_t grain, const Body& body) {
  parallel((rows + grain - 1) / grain, [&](int64_t task) {
    const int64_t first = task * grain, end = first + grain < rows ? first + grain : rows;
    body(first, end);
  });
}

}  // namespace finback
