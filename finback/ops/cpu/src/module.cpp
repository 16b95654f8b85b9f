// What does Python see? The kernels of the best level that the processor has, taking pointers as integers.
// Shapes, dtypes and contiguity are checked by the callers in finback/ops/cpu.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels.h"
#include "model.h"
#include "threads.h"

namespace nb = nanobind;

namespace portable {
extern const finback::Kernels table;
}
#if defined(FB_X86)
namespace avx2 {
extern const finback::Kernels table;
}
namespace avx512 {
extern const finback::Kernels table;
}
namespace avx512bf16 {
extern const finback::Kernels table;
}
#endif

namespace {

// Best last.
std::vector<const finback::Kernels*> supported() {
  std::vector<const finback::Kernels*> out = {&portable::table};
#if defined(FB_X86)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return out;
  out.push_back(&avx2::table);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512dq"))
    return out;
  out.push_back(&avx512::table);
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni")) out.push_back(&avx512bf16::table);
#endif
  return out;
}

const finback::Kernels* active = nullptr;

void choose(const std::string& level) {
  const auto levels = supported();
  if (level.empty()) {
    active = levels.back();
    return;
  }
  std::string names;
  for (const auto* k : levels) {
    if (level == k->level) {
      active = k;
      return;
    }
    names += std::string(names.empty() ? "" : ", ") + k->level;
  }
  throw std::invalid_argument("FINBACK_CPU=" + level + " is not available on this processor: choose one of " + names);
}

// Python passes addresses as integers; everything else goes through as it is.
template <class T>
using FromPython = std::conditional_t<std::is_pointer_v<T>, uintptr_t, T>;

template <class T>
T to_native(FromPython<T> value) {
  if constexpr (std::is_pointer_v<T>) return reinterpret_cast<T>(value);
  else return value;
}

template <auto Field, class... Args>
void bind(nb::module_& m, const char* name, void (*)(Args...)) {
  m.def(name, [](FromPython<Args>... args) {
    nb::gil_scoped_release release;
    (active->*Field)(to_native<Args>(args)...);
  });
}

}  // namespace

NB_MODULE(_native, m) {
  choose("");
  m.def("choose", &choose, "Uses the kernels of a level; '' takes the best.");
  m.def("level", [] { return std::string(active->level); });
  m.def("levels", [] {
    std::vector<std::string> names;
    for (const auto* k : supported()) names.push_back(k->level);
    return names;
  });
  m.def("set_threads", &finback::set_threads);
  m.def("threads", &finback::threads);
  using finback::Model;
  nb::class_<Model>(m, "Model")
      .def(nb::init<const std::map<std::string, double>&, const std::vector<int64_t>&, const std::vector<std::array<int64_t, 7>>&,
                    const Model::Described&>())
      .def_prop_ro("address", [](const Model& model) { return reinterpret_cast<uintptr_t>(&model); });
#define FB_BIND(name) bind<&finback::Kernels::name>(m, #name, decltype(finback::Kernels::name)(nullptr));
  FB_KERNELS(FB_BIND)
#undef FB_BIND
}
