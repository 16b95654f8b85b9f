"""What can a user do from the shell? One verb per job.

Each verb parses its options, calls one room of the package and shows the result. Whatever goes
wrong with the user's input ends in one sentence on stderr and exit code 1; `FINBACK_DEBUG=1` shows
the traceback instead.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.text import Text

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich")

DEFAULT_MODEL = Path(__file__).parent / "models" / "finback-mini"
STORY_MODEL = DEFAULT_MODEL.with_name("first")  # the other one continues conversations, not bare texts

Model = Annotated[Path, typer.Option("--model", "-m", help="Checkpoint directory with its tokenizer.", show_default="the model that comes with Finback")]
Dtype = Annotated[
    str,
    typer.Option(
        help="float32, bfloat16, or auto: float32 on a CPU, elsewhere what the checkpoint names. On a CPU also stored: FP8 and FP4 "
        "as the file has them, memory-mapped; or int8."
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, npu, mps, or auto.")]
Temperature = Annotated[Optional[float], typer.Option(min=0.0, help="0 always takes the likeliest token.", show_default="what the model's generation_config.json says")]
TopP = Annotated[Optional[float], typer.Option("--top-p", help="Sample from the likeliest tokens with this probability in all.", show_default="what the model's generation_config.json says")]
MaxTokens = Annotated[int, typer.Option("--max-tokens", min=1, help="Stop after this many tokens.")]
Seed = Annotated[Optional[int], typer.Option(help="Repeats a sample exactly.", show_default="a new one each time")]


@app.callback()
def _finback() -> None:
    """DeepSeek-V4, whole: talk to a model, look into a checkpoint, train one."""


@app.command()
def chat(
    model: Model = DEFAULT_MODEL,
    think: Annotated[Optional[bool], typer.Option("--think/--no-think", help="Let the model reason before it answers.", show_default="whether it was taught to")] = None,
    effort: Annotated[Optional[str], typer.Option(help="Reasoning effort when it thinks: high or max.")] = None,
    system: Annotated[Optional[str], typer.Option(help="System prompt.")] = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    max_tokens: MaxTokens = 512,
    seed: Seed = None,
    neutralize: Annotated[bool, typer.Option(help="Make special tokens in what you type harmless.")] = True,
    python: Annotated[bool, typer.Option("--python", help="Let the model run Python, in a sandbox without files and network.")] = False,
    dtype: Dtype = "auto",
    device: Device = "auto",
) -> None:
    """Talk to a model in the terminal. Inside, /help lists the commands."""
    from finback.chat import Settings, run_chat
    from finback.checkpoint import read_card
    from finback.engine import Engine
    from finback.tasks.sandbox import Sandbox

    if effort not in (None, "high", "max"):
        raise ValueError(f"--effort is {effort!r}; choose high or max")
    loaded, tokenizer = _load(model, dtype, device)
    greeting = f"{model.resolve().name}: {sum(p.numel() for p in loaded.parameters()) / 1e6:.1f}M parameters."
    if model == DEFAULT_MODEL:  # its card's first paragraph says honestly what to expect
        greeting += "\n" + (model / "README.md").read_text(encoding="utf-8").split("\n\n")[1]
    sampling = _sampling(model, temperature, top_p, max_tokens, seed)
    settings = Settings(read_card(model).thinking if think is None else think, effort, system, sampling, neutralize)
    engine = Engine(loaded, tokenizer, prefix="full")
    with contextlib.closing(engine), Sandbox(workers=1, seconds=10.0) if python else contextlib.nullcontext() as box:
        run_chat(engine, settings, Console(), greeting, box)


@app.command()
def serve(
    models: Annotated[Optional[list[str]], typer.Option("--model", "-m", help="Checkpoint directory, or NAME=DIRECTORY; may be given several times.", show_default="the model that comes with Finback")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on. Any but a loopback address needs API keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    keys: Annotated[Optional[Path], typer.Option("--keys", help="File with API keys, one a line; FINBACK_API_KEYS may hold them too. Without keys anybody on this machine may ask.")] = None,
    cors: Annotated[Optional[list[str]], typer.Option(help="Origin of a page elsewhere that may ask, such as http://localhost:3000; may be given several times.")] = None,
    cache: Annotated[int, typer.Option(min=1, help="Memory for the cache of each model, in MiB.")] = 2048,
    fp8_cache: Annotated[bool, typer.Option("--fp8-cache", help="Keep the cache in the report's layout, FP8 and FP4: 57 % of BF16's bytes, a little less exact.")] = False,
    disk: Annotated[Optional[Path], typer.Option(help="Directory in which the prefix cache outlives the server.")] = None,
    drafts: Annotated[int, typer.Option(min=0, max=4, help="Tokens that the MTP block drafts for each step.")] = 0,
    answer_tokens: Annotated[int, typer.Option(min=1, help="Longest answer where a client does not say.")] = 4096,
    print_config: Annotated[Optional[str], typer.Option(help="Serve nothing; print what to paste into a client: codex, claude-code, opencode, openai or anthropic.")] = None,
    dtype: Dtype = "auto",
    device: Device = "auto",
) -> None:
    """Serve models over HTTP: DeepSeek's, OpenAI's and Anthropic's APIs, and a chat page."""
    from finback.checkpoint import read_card
    from finback.config import ModelConfig
    from finback.engine import Engine
    from finback.server import serve as room
    from finback.server.clients import block
    from finback.server.service import Limits, Model, Service

    accepted = room.read_keys((keys.read_text() + "\n" if keys else "") + os.environ.get("FINBACK_API_KEYS", ""))
    if host not in room.LOOPBACK and not accepted:
        raise ValueError(f"--host {host} lets others in, and there are no API keys: give --keys FILE or FINBACK_API_KEYS")
    names = [(name, Path(path).resolve()) for name, _, path in (given.rpartition("=") for given in models or [str(DEFAULT_MODEL)])]
    if print_config is not None:
        name, folder = names[0]
        context = ModelConfig.from_file(folder).max_position_embeddings
        print(block(print_config, f"http://{f'[{host}]' if ':' in host else host}:{port}", name or folder.name, context, bool(accepted)), end="")
        return
    served: list[Model] = []
    for name, folder in names:
        loaded, tokenizer = _load(folder, dtype, device, fp8_cache)
        size = loaded.new_pool(1).layout.block_bytes
        blocks = max((cache << 20) // size, 1) if size else None
        store = disk / (name or folder.name) if disk else None
        engine = Engine(loaded, tokenizer, cache_blocks=blocks, drafts=drafts, disk=store)
        served.append(Model(name or folder.name, engine, read_card(folder)))
    if len({model.name for model in served}) < len(served):
        raise ValueError(f"two models have the same name among {', '.join(m.name for m in served)}: give --model NAME=DIRECTORY")
    hosts = None if accepted else room.LOOPBACK
    service = Service(served, accepted, Limits(answer_tokens=answer_tokens), cors or (), hosts)

    def ready(at: int) -> None:
        place = f"http://{f'[{host}]' if ':' in host else host}:{at}"
        print(f"Finback serves {', '.join(service.models)} at {place} (Ctrl-C ends it)", flush=True)

    room.serve(service, host, port, ready)


@app.command()
def generate(
    prompt: Annotated[str, typer.Argument(help="Text to continue; - reads it from standard input.")],
    model: Annotated[Path, typer.Option("--model", "-m", help="Checkpoint directory with its tokenizer.", show_default="the story model that comes with Finback")] = STORY_MODEL,
    as_chat: Annotated[bool, typer.Option("--chat", help="Treat the prompt as a user's message instead of raw text.")] = False,
    think: Annotated[bool, typer.Option("--think/--no-think", help="With --chat: let the model reason first.")] = False,
    temperature: Temperature = None,
    top_p: TopP = None,
    max_tokens: MaxTokens = 256,
    seed: Seed = None,
    dtype: Dtype = "auto",
    device: Device = "auto",
) -> None:
    """Continue a text (or answer it with --chat) and print the result as it comes."""
    from finback.engine import generate as run
    from finback.text import encode_messages

    text = sys.stdin.read() if prompt == "-" else prompt
    params = _sampling(model, temperature, top_p, max_tokens, seed)
    loaded, tokenizer = _load(model, dtype, device)
    if as_chat:
        ids = tokenizer.encode(encode_messages([{"role": "user", "content": text}], "thinking" if think else "chat"))
    else:
        ids = [tokenizer.bos_id, *tokenizer.encode(text)]
    decoder = tokenizer.stream_decoder()
    with Console(stderr=True).status(f"reading {len(ids):,} tokens") as status:
        tokens = run(loaded, ids, params, {tokenizer.eos_id})
        token = next(tokens)
        status.stop()
    sys.stdout.write("" if as_chat else text)
    for token in itertools.chain([token], tokens):
        if token != tokenizer.eos_id:
            sys.stdout.write(decoder.feed(token))
            sys.stdout.flush()
    sys.stdout.write(decoder.flush() + "\n")


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="A checkpoint directory, a .safetensors file, or a bare config.json.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the drawing.")] = False,
) -> None:
    """Show a checkpoint's layers, sizes, cache and costs from its headers alone; nothing is loaded."""
    from finback.lab.inspect_report import inspect as look
    from finback.lab.inspect_report import render

    report = look(path)
    if as_json:
        print(json.dumps(report.to_dict(), indent=1))
    else:
        render(report, Console())


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="Checkpoint to read, in DeepSeek's or transformers' layout.")],
    target: Annotated[Path, typer.Argument(help="Directory to write, in DeepSeek's layout.")],
    weights: Annotated[str, typer.Option(help="Format of dense weights: bf16, fp32 or fp8.")] = "bf16",
    experts: Annotated[Optional[str], typer.Option(help="Format of routed experts: bf16, fp32, fp8 or fp4.", show_default="as --weights")] = None,
) -> None:
    """Rewrite a checkpoint in another format, one weight at a time."""
    from finback.checkpoint import convert as rewrite

    rewrite(source, target, weights, experts)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        origin = (source if source.is_dir() else source.parent) / name
        if origin.exists():
            (target / name).write_bytes(origin.read_bytes())
    Console().print(f"written: {target}")


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe, for example recipes/first.toml.")],
    out: Annotated[Optional[Path], typer.Option(help="Folder of the run.", show_default="runs/NAME")] = None,
) -> None:
    """Train a model by a recipe. The same command goes on with a run that was killed."""
    from finback.train import read_recipe
    from finback.train import train as run

    read = read_recipe(recipe)
    run(read, out or Path("runs") / read.name, Console())


@app.command()
def sft(
    recipe: Annotated[Path, typer.Argument(help="A recipe with init, a trained model, and conversations or tasks.")],
    out: Annotated[Optional[Path], typer.Option(help="Folder of the run.", show_default="runs/NAME")] = None,
) -> None:
    """Fine-tune a trained model on conversations: the loss is on what the assistant says. Goes on with a killed run."""
    from finback.train import read_recipe
    from finback.train import train as run

    read = read_recipe(recipe)
    if read.init is None or read.losses.on != "assistant":
        raise ValueError(f'{recipe} is no recipe for fine-tuning: give init = "FOLDER OF A MODEL" and [losses] on = "assistant"')
    run(read, out or Path("runs") / read.name, Console())


@app.command()
def sizes(
    share: Annotated[float, typer.Option(help="Share of this machine's matrix products that a run reaches (MFU: its report says it; small models reach less than large ones).")] = 0.05,
) -> None:
    """Show what each `size` of a recipe comes to: model, tokens, and hours on this machine."""
    import torch
    from rich.table import Table

    from finback.cost import parameters
    from finback.device import fast_bf16, matmul_flops, resolve
    from finback.train.scaling import SIZES, size_of

    if not 0 < share <= 1:
        raise ValueError(f"--share is {share}; it must be above 0 and at most 1")

    def millions(n: float) -> str:
        return f"{n / 1e6:,.1f}M" if n < 1e8 else f"{n / 1e6:,.0f}M"

    device = resolve()
    ceiling = matmul_flops(device, torch.bfloat16 if fast_bf16(device) else torch.float32)
    console = Console()
    table = Table("size", "layers", "width", "experts", "weights", "active", "tokens", "batch", "rate", "hours", box=None, header_style="bold")
    for column in table.columns:
        column.justify = "right"
    for size in SIZES:
        found = size_of(size)
        c, count = found.model, parameters(found.model)
        table.add_row(
            str(size), str(c.num_hidden_layers), str(c.hidden_size), str(c.n_routed_experts), millions(count.total),
            millions(count.active), millions(found.tokens), f"{found.batch_tokens:,}", f"{found.learning_rate:.4f}",
            f"{hours:,.2f}" if (hours := found.flops / ceiling / share / 3600) < 10 else f"{hours:,.0f}",
        )  # fmt: skip
    console.print(table)
    console.print(f"hours: at {share:.0%} of {ceiling / 1e9:,.0f} GFLOP/s, a matrix product measured now", style="dim", highlight=False)


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Folder of a run, finished or not, for example runs/first.")],
    out: Annotated[Optional[Path], typer.Option(help="HTML file to write.", show_default="RUN/report.html")] = None,
) -> None:
    """Write a page with a run's curves, samples over time and costs, to open in any browser."""
    from finback.lab.report import write_report

    file = out or run / "report.html"
    write_report(run, file)
    Console().print(f"written: {file}")


@app.command(name="eval")
def evaluate(
    model: Model = DEFAULT_MODEL,
    tasks: Annotated[Optional[str], typer.Option(help="Tasks, by commas.", show_default="all, if no --public is given")] = None,
    abilities: Annotated[Optional[str], typer.Option(help="All tasks of these abilities instead: mathematics, code, planning, tools, talk.")] = None,
    public: Annotated[str, typer.Option(help="Published sets, by commas, or all: mawps, svamp, asdiv, cmath, planbench_blocksworld, planbench_blocksworld_3, planbench_logistics, planbench_depots, mbpp, humaneval.")] = "",
    efforts: Annotated[str, typer.Option(help="How hard to think.")] = "none,high,max",
    splits: Annotated[str, typer.Option(help="seen: structures that training shows; held_out: structures that it never shows.")] = "seen,held_out",
    problems: Annotated[Optional[int], typer.Option(min=1, help="Of each task and split, and of each public set.", show_default="50, and public sets whole")] = None,
    temperature: Annotated[float, typer.Option(min=0.0, help="0 always takes the likeliest token.")] = 0.0,
    samples: Annotated[int, typer.Option(min=1, help="Answers to each problem; their mean counts (pass@1).")] = 1,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Of one turn, thoughts included.")] = 1024,
    seed: Annotated[int, typer.Option(help="Draws the problems, and samples.")] = 1,
    leaks: Annotated[Optional[int], typer.Option(min=1, help="Ask no model: compare the problems with so many training draws of each task.", show_default=False)] = None,
    out: Annotated[Optional[Path], typer.Option(help="Folder of the answers and the report.", show_default="runs/eval/MODEL-IDENTITY")] = None,
    dtype: Dtype = "auto",
    device: Device = "auto",
) -> None:
    """Measure a model's abilities with problems and verifiers. The same command goes on with a run that was killed."""
    from finback.data.sources import data_root
    from finback.lab.evaluate import Plan
    from finback.tasks import TASKS
    from finback.tasks.public import SETS

    wanted = _listed(abilities)
    if unknown := set(wanted) - {task.ability for task in TASKS.values()}:
        raise ValueError(f"no task has the ability {', '.join(sorted(unknown))}: choose from {', '.join(sorted({t.ability for t in TASKS.values()}))}")
    chosen = _listed(tasks) + tuple(name for name, task in TASKS.items() if task.ability in wanted)
    if not chosen and not public:
        chosen = tuple(TASKS)
    sets = tuple(SETS) if public == "all" else _listed(public)
    plan = Plan(chosen, sets, _listed(efforts), _listed(splits), problems, seed, temperature, max_tokens, samples)
    data = data_root()
    if leaks:
        _check_leaks(plan, data, leaks, out or Path("runs/leaks"))
    else:
        _evaluate(plan, data, model, out, dtype, device)


def _listed(names: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (names or "").split(",") if name.strip())


def _evaluate(plan, data: Path, model: Path, out: Path | None, dtype: str, device: str) -> None:
    import platform

    import torch

    import finback
    from finback.engine import Engine, Limits
    from finback.lab.evaluate import CONCURRENCY, evaluate
    from finback.lab.evaluation_report import results, tables, write
    from finback.model.identity import arithmetic, identity
    from finback.tasks import TASKS
    from finback.tasks.public import SETS

    loaded, tokenizer = _load(model, dtype, device)
    about = {
        "name": model.resolve().name, "identity": identity(loaded), "parameters": sum(p.numel() for p in loaded.parameters()),
        "finback": finback.__version__, "torch": torch.__version__, "python": platform.python_version(), "arithmetic": arithmetic(loaded),
    }  # fmt: skip
    folder = out or Path("runs/eval") / f"{about['name']}-{about['identity'][:8]}"
    engine, console = Engine(loaded, tokenizer, limits=Limits(requests=CONCURRENCY)), Console()
    try:
        records, run = evaluate(engine, plan, folder, about, TASKS, SETS, data, console)
    finally:
        engine.close()
    found = results(records, run)
    write(found, folder)
    console.print(tables(found))
    console.print(f"written: {folder / 'report.html'}")


def _check_leaks(plan, data: Path, each: int, folder: Path) -> None:
    from rich.progress import track
    from rich.table import Table

    from finback.data import write_atomically
    from finback.lab.leaks import compare, report, suspects, training
    from finback.tasks import TASKS
    from finback.tasks.public import SETS

    console = Console()
    found = suspects(plan, TASKS, SETS, data)
    count = compare(found, track(training(TASKS, each, data), "training draws", each * len(TASKS), console=console), each)
    said = report(found, count, each)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "leaks.json", (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode())
    table = Table("", "split", "n", "same prompt", "problem", "8-grams", "too close", box=None, header_style="bold", padding=(0, 1, 0, 0))
    table.columns[0].no_wrap = True
    for row in said["rows"]:
        nearest = "" if row["nearest_8"] is None else f"{row['nearest_8']:.0%}"
        table.add_row(row["source"], row["split"], *(str(row[key]) for key in ("n", "same_prompt", "same_key")), nearest, str(row["too_close"]))
    console.print(table)
    console.print(said["method"], style="dim", highlight=False)
    console.print(f"written: {folder / 'leaks.json'}")


@app.command()
def doctor() -> None:
    """Check this installation: versions, processor, memory, backend, and a self-test of the arithmetic."""
    from finback.lab.doctor import examine, render

    findings = examine(DEFAULT_MODEL)
    render(findings, Console())
    if any(finding.status == "FAIL" for finding in findings):
        raise typer.Exit(1)


def _load(path: Path, dtype: str, device: str, fp8_cache: bool = False):
    from finback.checkpoint import load
    from finback.checkpoint.load import KEPT
    from finback.device import resolve
    from finback.text import load_tokenizer

    tokenizer, where = load_tokenizer(path), resolve(device)  # first: they are quick to fail
    if where.type == "cpu" and dtype not in KEPT:
        _check_memory(path, "float32" if dtype == "auto" else dtype)
    loaded = load(path, dtype, where, fp8_cache=fp8_cache).requires_grad_(False)
    if tokenizer.vocab_size > loaded.config.vocab_size:
        raise ValueError(
            f"the tokenizer of {path} has {tokenizer.vocab_size} entries, the model {loaded.config.vocab_size}: "
            "they are from different checkpoints"
        )
    return loaded, tokenizer


def _check_memory(path: Path, dtype: str) -> None:
    """Refuses weights for which the CPU's memory has no room before the system ends this process halfway."""
    from finback import cost, device
    from finback.checkpoint import open_checkpoint
    from finback.checkpoint.load import compute_dtype

    checkpoint = open_checkpoint(path)
    wanted, free = cost.parameters(checkpoint.config).total * compute_dtype(dtype).itemsize, device.memory(device.resolve("cpu"))
    if wanted > free:
        kept = sum(entry.nbytes for entry in checkpoint.entries.values())
        raise ValueError(
            f"the weights of {path} take {wanted / 2**30:.1f} GiB in {dtype}, and {free / 2**30:.1f} are free: "
            f"with --dtype stored they stay in the file ({kept / 2**30:.1f} GiB) and are read from there"
        )


def _sampling(model: Path, temperature: float | None, top_p: float | None, max_tokens: int, seed: int | None):
    from finback.checkpoint import read_card
    from finback.engine import SamplingParams

    card = read_card(model)
    seed = int.from_bytes(os.urandom(4), "big") if seed is None else seed
    return SamplingParams(
        card.temperature if temperature is None else temperature, card.top_p if top_p is None else top_p, max_tokens=max_tokens, seed=seed
    )


def main() -> None:
    """The `finback` command."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except (ValueError, OSError, RuntimeError, ArithmeticError, KeyError) as error:
        if os.environ.get("FINBACK_DEBUG"):
            raise
        sentence = Text(str(error.args[0]) if isinstance(error, KeyError) else str(error))  # str() quotes a KeyError's
        Console(stderr=True).print(Text("error: ", style="bold red") + sentence, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
