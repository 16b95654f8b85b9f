"""Can the model's tests fail? Each mutant is the model with one plausible mistake, and some test must notice it.

A mutant is an edit in one place of a copy of the package. The tests that should notice run there in
a process of their own. For what the model's files say the judge is the comparison with transformers;
the ops' unit tests judge what happens inside one op. If the text of a mutant is no longer in its
file, the mutant fails: write the mistake anew for the new code.

Run: python -m pytest tests/model/test_mutations.py -m slow
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

_RAGGED = "tests/model/test_parity.py::test_ragged_batch_equals_transformers_on_each_sequence"
PARITY = (f"{_RAGGED}[base]",)
TIGHT_CLAMP = (f"{_RAGGED}[only-CSA,-a-tight-clamp]",)
_OPS = "tests/model/test_ops.py::test_"
HC_READ = (_OPS + "reading_the_streams_equals_a_loop_over_tokens",)
HC_WRITE = (_OPS + "writing_the_streams_sums_over_the_old_stream",)
POOL = (_OPS + "pooled_windows_equal_a_loop_over_windows_and_channels",)
CORE = (_OPS + "sparse_attention_equals_a_dense_loop_in_any_tiling",)
PICKS = (_OPS + "selected_entries_are_the_best_visible_ones",)
TIES = (_OPS + "top_k_ties_in_long_rows_go_to_the_lowest_indices",)
CHUNKS = ("tests/model/test_laws.py::test_token_by_token_equals_whole_prefill",)
MTP = ("tests/model/test_laws.py::test_mtp_block_decodes_with_a_cache_as_it_prefills",)


class Mutant(NamedTuple):
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


OPS_FILE, ATTENTION, ROPE, MOE = "ops/reference.py", "model/attention.py", "model/rope.py", "model/moe.py"
COMPRESSOR, INDEXER, TRANSFORMER = "model/compressor.py", "model/indexer.py", "model/transformer.py"

# fmt: off
MUTANTS = [
    # hyper-connections
    Mutant("comb is not transposed", OPS_FILE, "comb.permute(2, 1, 0)", "comb.permute(2, 0, 1)", HC_WRITE),
    Mutant("post is not doubled", OPS_FILE, "2 * torch.sigmoid(", "torch.sigmoid(", HC_READ),
    Mutant("pre lacks its eps", OPS_FILE, "base_pre) + eps", "base_pre)", HC_READ),
    Mutant("Sinkhorn lacks the eps after the softmax", OPS_FILE, "softmax(dim=1) + eps", "softmax(dim=1)", HC_READ),
    Mutant("Sinkhorn's softmax runs over the old stream", OPS_FILE, "logits.softmax(dim=1)", "logits.softmax(dim=0)", HC_READ),
    Mutant("Sinkhorn stops one iteration early", OPS_FILE, "range(iters - 1)", "range(iters - 2)", HC_READ),
    Mutant("attention reads the streams by the experts' weights", TRANSFORMER,
           'self._read("hc_attn", h', 'self._read("hc_ffn", h', PARITY),
    # rotary positions
    Mutant("compressed layers use the plain base", ROPE,
           "config.compress_rope_theta if compressed else config.rope_theta", "config.rope_theta", PARITY),
    Mutant("YaRN is dropped", ROPE, "if not compressed or yarn is None:", "if True:", PARITY),
    Mutant("YaRN is applied in every layer", ROPE, "if not compressed or yarn is None:", "if yarn is None:", PARITY),
    Mutant("YaRN's ramp is upside down", ROPE, "ramp + f * (1 - ramp)", "(1 - ramp) + f * ramp", PARITY),
    Mutant("the output is not rotated back", ATTENTION, "ops.rotate(out, cos, -sin)", "out", PARITY),
    Mutant("an entry stands at its last token", COMPRESSOR,
           "first = start // self.ratio * self.ratio", "first = start // self.ratio * self.ratio + self.ratio - 1", PARITY),
    # compression
    Mutant("the overlap halves are swapped", OPS_FILE,
           "u = torch.cat((u[:-ratio, :c].unflatten(0, (-1, ratio)), u[ratio:, c:].",
           "u = torch.cat((u[:-ratio, c:].unflatten(0, (-1, ratio)), u[ratio:, :c].", POOL),
    Mutant("the positional bias is one slot off", COMPRESSOR,
           "batch.positions % self.ratio", "(batch.positions + 1) % self.ratio", PARITY),
    Mutant("the row of the window before is lost at a chunk border", COMPRESSOR,
           "[recent(ring, start, count) for ring in rings]", "[recent(ring, start, count) * 0 for ring in rings]", CHUNKS),
    Mutant("pooling weighs without the scores", OPS_FILE, "z.softmax(dim=1) * u", "(0 * z).softmax(dim=1) * u", POOL),
    # what a query sees
    Mutant("an entry is picked one token late", OPS_FILE,
           "visible = _visible(start + a, start + b, ratio, keys.device)",
           "visible = _visible(start + a - 1, start + b - 1, ratio, keys.device)", PICKS),
    Mutant("an entry is visible one token late", OPS_FILE,
           "torch.arange(first + 1, end + 1, device=device)", "torch.arange(first, end, device=device)", CORE),
    Mutant("an entry is visible one token early", OPS_FILE,
           "torch.arange(first + 1, end + 1, device=device)", "torch.arange(first + 2, end + 2, device=device)", CORE),
    Mutant("the window is one token wider", OPS_FILE, "(distance >= width)", "(distance > width)", CORE),
    Mutant("the window is one token narrower", OPS_FILE, "(distance >= width)", "(distance >= width - 1)", CORE),
    Mutant("the cache keeps one window entry too few", ATTENTION,
           "min(start, self.width - 1)", "min(start, self.width - 2)", CHUNKS),
    Mutant("the sink is dropped", OPS_FILE,
           "sink.float().view(1, -1, 1)", "(sink.float() - 1e9).view(1, -1, 1)", CORE),
    Mutant("the attention scale is missing", OPS_FILE,
           "tile.float() * q.shape[-1] ** -0.5", "tile.float()", CORE),
    Mutant("the query heads are not normalised", ATTENTION,
           "q = ops.rms_norm(self.wq_b(latent).unflatten(1, (self.heads, self.dim)), None, self.eps)",
           "q = self.wq_b(latent).unflatten(1, (self.heads, self.dim))", PARITY),
    # indexer
    Mutant("the index gate has the wrong sign", INDEXER, "self.weights_proj(x).float() *", "-self.weights_proj(x).float() *", PARITY),
    Mutant("index queries are not rotated", INDEXER, "q = ops.rotate(q, cos, sin)", "q = q * 1", PARITY),
    Mutant("index scores lack the relu", OPS_FILE, "torch.relu(q.float()", "torch.abs(q.float()", PARITY),
    Mutant("top-k leaves ties to chance", OPS_FILE, "if tied.any():", "if False:", TIES),
    # output projection
    Mutant("heads are grouped with a stride", ATTENTION,
           "out.flatten(1).chunk(self.groups, dim=1)",
           "out.flatten(1).unflatten(1, (-1, self.groups)).transpose(1, 2).flatten(1).chunk(self.groups, dim=1)", PARITY),
    # experts
    Mutant("the bias leaks into the weights", MOE, "weights = a.gather(1, ids)",
           "weights = (a if self.bias is None else a + self.bias).gather(1, ids)", PARITY),
    Mutant("the bias does not select", MOE, "(a + self.bias).detach()", "a.detach()", PARITY),
    Mutant("hash layers use top-k", MOE, "self.tid2eid[tokens] if self.bias is None else ops.top_k((a + self.bias).detach(), self.k)",
           "ops.top_k((a if self.bias is None else a + self.bias).detach(), self.k)", PARITY),
    Mutant("weights are not scaled", MOE, "keepdim=True) * self.scale", "keepdim=True)", PARITY),
    Mutant("the shared expert is not clamped", MOE,
           "shared.w3.weight, self.limit)", "shared.w3.weight, 1e9)", TIGHT_CLAMP),
    Mutant("the gate is clamped below", OPS_FILE,
           "_fp32(F.linear(x, w1.to(x.dtype))).clamp_max(limit)", "_fp32(F.linear(x, w1.to(x.dtype))).clamp(-limit, limit)", TIGHT_CLAMP),
    # MTP
    Mutant("the MTP block keeps no window", "model/mtp.py",
           "replace(run, batch=", "replace(run, states=None, batch=", MTP),
]
# fmt: on

# Says in every run which package was tested; without it a mutant could pass for the original, or the reverse.
# It also says by what a test failed: a wrong number, or a crash. One thread is the fastest for models this small.
WITNESS = """
import finback
import torch

def pytest_collection_finish():
    torch.set_num_threads(1)

def pytest_exception_interact(call):
    print(f"failed by {call.excinfo.typename}")

def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"tested {finback.__file__}")
"""


def copy_project(folder: Path) -> None:
    skip = shutil.ignore_patterns("__pycache__", "models", "test_mutations.py")  # finback/models holds weights
    for part in ("finback", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "witness.py").write_text(WITNESS)


# Each run is a fresh fork of a process that has imported only what takes seconds, so never the package itself.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["hypothesis", "pytest", "torch", "transformers.models.deepseek_v4.modeling_deepseek_v4"])


def in_fork(folder: str, arguments: list[str]) -> None:
    assert "finback" not in sys.modules
    with open(os.path.join(folder, "output.txt"), "w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.chdir(folder)
    sys.path.insert(0, folder)
    # an editable installation's finder would lead every import back to the sources that are installed
    sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.startswith("_editable")]
    sys.dont_write_bytecode = True
    os.environ["FINBACK_BACKEND"] = "reference"  # the mutants are made there
    sys.exit(int(pytest.main(arguments)))


def run_tests(folder: Path, selection: tuple[str, ...]) -> tuple[int, str]:
    """Exit code and output of the selected tests of the copy, which must be the package that they imported."""
    arguments = [*selection, "-x", "-q", "-s", "--tb=line", "-p", "no:cacheprovider", "-p", "witness"]
    arguments += ["--rootdir", str(folder)]
    run = FORKS.Process(target=in_fork, args=(str(folder), arguments))
    run.start()
    run.join(600)
    if run.is_alive():
        run.kill()
        pytest.fail(f"the tests of {folder} did not end within ten minutes")
    output = (folder / "output.txt").read_text()
    assert f"tested {folder / 'finback' / '__init__.py'}" in output, output
    return run.exitcode, output


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_mutant_is_caught(mutant: Mutant, tmp_path: Path):
    copy_project(tmp_path)
    source = tmp_path / "finback" / mutant.file
    text = source.read_text()
    found = text.count(mutant.old)
    assert found == 1, f"{mutant.old!r} occurs {found} times in {mutant.file}, not once: rewrite this mutant"
    source.write_text(text.replace(mutant.old, mutant.new))
    code, output = run_tests(tmp_path, mutant.tests)
    assert code == 1, f"no test noticed that {mutant.name}:\n{output}"
    # a mutant that cannot run shows nothing about the numbers
    assert re.findall(r"failed by (\w+)", output) == ["AssertionError"], output


def test_unmutated_copy_passes(tmp_path: Path):
    copy_project(tmp_path)
    code, output = run_tests(tmp_path, tuple(sorted({test for mutant in MUTANTS for test in mutant.tests})))
    assert code == 0, output
