#!/bin/sh
# Builds the native kernels with a sanitizer, apart from the tree, and runs their tests with them:
#
#   tests/sanitize.sh address
#   tests/sanitize.sh thread
#
# Needs g++, cmake and nanobind beside what the tests need. Ends with the first report, or with the tests.
set -eu
kind=${1:?which one: address or thread}
case $kind in
  address) library=libasan.so ;;
  thread) library=libtsan.so ;;
  *) echo "there is no sanitizer $kind here: address or thread" >&2; exit 2 ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$root/finback" "$root/tests" "$root/pyproject.toml" "$copy"
rm -f "$copy"/finback/ops/cpu/_native*.so
cmake -S "$copy/finback/ops/cpu" -B "$copy/build" -DCMAKE_BUILD_TYPE=None -DPython_EXECUTABLE="$(command -v python)" \
  -DCMAKE_CXX_FLAGS="-O1 -g -fsanitize=$kind -fno-omit-frame-pointer -fno-math-errno -fno-trapping-math -ffp-contract=off" > /dev/null
cmake --build "$copy/build" --parallel 2 > "$copy/build.log" || { tail -n 40 "$copy/build.log"; exit 1; }
cd "$copy"
# Python and PyTorch are not instrumented: of what they do among themselves nothing is reported.
LD_PRELOAD=$(g++ -print-file-name=$library) PYTHONPATH=$copy FINBACK_SHARED=$root/../shared \
  ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1 \
  python -m pytest tests/ops tests/model/test_fp8_cache.py tests/model/test_laws.py tests/checkpoint/test_kept.py -q -x -p no:cacheprovider
