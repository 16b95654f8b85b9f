"""Which text does a recipe train on, where did it come from, and how does it become documents?

A source is one file (plain text, JSON lines or Parquet, text and lines also gzipped) with its public
origin, licence and checksum. Each record becomes one document in the form that the model will meet:
running text, or a V4 conversation. `read_documents` reads one after the other, so a file may be larger
than memory. Files are looked for in `FINBACK_DATA`; what is missing or changed is reported before
anything runs, and a record that cannot be read is named by its number, never skipped.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from finback.text import encode_messages, mode_of, neutralize, neutralize_messages
from finback.text.tokens import BOS, EOS

FIELDS = {
    "text": ("text",), "story": ("title", "text"), "instruction": ("instruction", "response"), "worked": ("question", "answer"),
    "chat": ("messages", "effort"),
}  # fmt: skip
FORMS = tuple(FIELDS)
PLAIN = (".txt", ".txt.gz")
ENDINGS = (*PLAIN, ".jsonl", ".jsonl.gz", ".parquet")


class DataError(ValueError):
    """Training text or tokens that are missing, altered or malformed; the message says how to get it right."""


@dataclass(frozen=True)
class Source:
    """`path` is relative to the data root. `only`: keep the records whose title is in it (empty: all).

    `form` "text": the record's text as it is; "story": a request for the story by its title, answered
    by it; "instruction": instruction and response as one turn of a conversation; "worked": a question, and an answer in
    GSM8K's form, whose steps become thoughts; "chat": `messages` of a whole conversation and the `effort` ("none", "high"
    or "max") that its answers were given at. A text longer than
    `part` characters is cut at paragraph ends into documents of about that size (0: never), which is
    what a book needs to be shuffled and split. A mixture gives a source `weight` as its share of the
    tokens, relative to the others; where no source has one, its share is its size times `repeat`.
    `fim`: some of its documents are rearranged for filling in the middle.
    """

    name: str
    path: str
    form: str
    origin: str
    licence: str
    sha256: str
    repeat: int = 1
    only: tuple[str, ...] = ()
    part: int = 0
    weight: float | None = None
    fim: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.name):
            raise DataError(f"source {self.name!r}: it names files; use letters, digits, - and _ only")
        if self.form not in FORMS:
            raise DataError(f"source {self.name}: form is {self.form!r}; choose one of {', '.join(FORMS)}")
        if not self.path.endswith(ENDINGS):
            raise DataError(f"source {self.name}: {self.path} is no file we can read; it should end in {', '.join(ENDINGS)}")
        if self.form != "text" and (self.fim or self.part or self.path.endswith(PLAIN)):
            raise DataError(f'source {self.name}: fim, part and .txt files are for running text; set form = "text"')
        if self.repeat < 1 or self.part < 0 or (self.weight is not None and self.weight <= 0):
            raise DataError(f"source {self.name}: repeat is at least 1, part at least 0 and weight above 0")


def data_root() -> Path:
    """FINBACK_DATA, or `../shared/data` beside the working directory."""
    return Path(os.environ.get("FINBACK_DATA", "../shared/data"))


def check_file(source: Source, root: Path) -> None:
    """Raises DataError unless the source's file is there and is the one that the recipe was made with."""
    file = root / source.path
    if not file.is_file():
        raise DataError(
            f"source {source.name}: {file} is missing. It comes from {source.origin} ({source.licence}); "
            "put it there or set FINBACK_DATA to the folder that has it"
        )
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if digest != source.sha256:
        raise DataError(
            f"source {source.name}: {file} has the checksum {digest}, but the recipe was made with {source.sha256}: "
            "fetch the file again, or correct the recipe if you changed it on purpose"
        )


def read_documents(source: Source, root: Path) -> Iterator[str]:
    """The documents of a source in the file's order, each with BOS, EOS and role tokens in place."""
    file = root / source.path
    read = _text if source.path.endswith(PLAIN) else _parquet if source.path.endswith(".parquet") else _json_lines
    try:
        for number, record in enumerate(read(file, source), 1):
            yield from _render(source, record, f"source {source.name}: record {number} of {file}")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"source {source.name}: {file} cannot be read to its end ({error}): fetch it again") from None


def _open(file: Path) -> IO[str]:
    return gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8")


def _text(file: Path, source: Source) -> Iterator[dict[str, Any]]:
    with _open(file) as text:
        yield {"title": file.name.split(".")[0], "text": text.read()}


def _json_lines(file: Path, source: Source) -> Iterator[dict[str, Any]]:
    with _open(file) as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"source {source.name}: line {number} of {file} is not JSON ({error})") from None


def _parquet(file: Path, source: Source) -> Iterator[dict[str, Any]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError(f"source {source.name}: reading {file} needs pyarrow: pip install 'finback[data]'") from None
    try:
        with pyarrow.parquet.ParquetFile(file) as table:
            wanted = {"title", *FIELDS[source.form]} & set(table.schema_arrow.names)
            for batch in table.iter_batches(batch_size=1024, columns=sorted(wanted)):
                yield from batch.to_pylist()
    except pyarrow.ArrowInvalid as error:
        raise DataError(f"source {source.name}: {file} is not a whole Parquet file ({error}): fetch it again") from None


def _render(source: Source, record: Any, where: str) -> Iterator[str]:
    if not isinstance(record, dict):
        raise DataError(f"{where} is not an object with named fields: {str(record)[:60]!r}")
    if source.only and record.get("title") not in source.only:
        return
    values = []
    for field in FIELDS[source.form]:
        if field not in record:
            raise DataError(f"{where} has no field {field!r} (form {source.form}); it has {', '.join(record)}")
    if source.form == "chat":
        yield _conversation(record["messages"], record["effort"], where)
        return
    for field in FIELDS[source.form]:
        value = record[field]
        if not isinstance(value, str):
            raise DataError(f"{where}: {field!r} is {value!r}, not text: drop or correct the record")
        if any("\ud800" <= c <= "\udfff" for c in value):
            raise DataError(f"{where}: {field!r} holds half of a surrogate pair, which no UTF-8 can say: correct the record")
        values.append(neutralize(value))
    if source.form == "text":
        yield from (BOS + part + EOS for part in parts(values[0], source.part))
        return
    asked, answer = values
    if source.form == "worked":
        steps, mark, result = _CALCULATION.sub("", answer).rpartition("#### ")
        if not mark:
            raise DataError(f"{where}: the answer has no line '#### RESULT': correct the record")
        worked = {"role": "assistant", "reasoning_content": steps.strip(), "content": f"The answer is {result.strip()}."}
        yield _conversation([{"role": "user", "content": asked}, worked], "high", where)
        return
    if source.form == "story":
        asked, answer = f"Tell me a story: {asked}", _join_lines(answer)
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    yield encode_messages(messages, thinking_mode="chat")


_CALCULATION = re.compile(r"<<[^<>]*>>")  # GSM8K's marks for a calculator


def _conversation(messages: Any, effort: Any, where: str) -> str:
    if effort not in ("none", "high", "max"):
        raise DataError(f"{where}: effort is {effort!r}; it is none, high or max")
    try:
        mode, reasoning_effort = mode_of(effort)
        return encode_messages(neutralize_messages(messages), mode, reasoning_effort=reasoning_effort)
    except (AssertionError, NotImplementedError, AttributeError, KeyError, TypeError) as error:
        raise DataError(f"{where}: its messages are no V4 conversation ({error}): correct the record") from None


def parts(text: str, limit: int) -> list[str]:
    """`text` cut at blank lines into parts of at most `limit` characters; a longer paragraph stays whole.
    With 0 there is one part. Blank lines between them rejoin the parts to the text."""
    if not limit or len(text) <= limit:
        return [text]
    out = [""]
    for i, paragraph in enumerate(text.split("\n\n")):
        if i and len(out[-1]) + 2 + len(paragraph) > limit:
            out.append(paragraph)
        else:
            out[-1] += "\n\n" + paragraph if i else paragraph
    return out


def _join_lines(text: str) -> str:
    """Picture books break lines inside sentences; a line that ends a sentence keeps its break."""
    out: list[str] = []
    for line in text.split("\n"):
        if out and out[-1] and out[-1][-1] not in ".!?\"”":
            out[-1] += " " + line.strip()
        else:
            out.append(line.strip())
    return "\n".join(out)
