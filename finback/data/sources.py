"""Which text does a recipe train on, and where did it come from?

A source is a JSONL file (plain or gzipped) with its public origin, licence and checksum. Each line
becomes one document in the form that the model will meet: running text, or a V4 conversation.
Files are looked for in `FINBACK_DATA`; what is missing or changed is reported before anything runs.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finback.text import encode_messages, neutralize
from finback.text.tokens import BOS, EOS

FORMS = ("text", "story", "instruction")


class DataError(ValueError):
    """Training text that is missing, altered or malformed; the message says how to get it right."""


@dataclass(frozen=True)
class Source:
    """`path` is relative to the data root. `only`: keep the lines whose title is in it (empty: all).

    `form` "text": the line's text as it is; "story": a request for the story by its title, answered
    by it; "instruction": instruction and response as one turn of a conversation.
    """

    name: str
    path: str
    form: str
    origin: str
    licence: str
    sha256: str
    repeat: int = 1
    only: tuple[str, ...] = ()


def data_root() -> Path:
    """FINBACK_DATA, or `../shared/data` beside the working directory."""
    return Path(os.environ.get("FINBACK_DATA", "../shared/data"))


def documents(source: Source, root: Path) -> list[str]:
    """All documents of a source, each a string with BOS, EOS and role tokens in place. Raises DataError."""
    if source.form not in FORMS:
        raise DataError(f"source {source.name}: form is {source.form!r}; choose one of {', '.join(FORMS)}")
    file = root / source.path
    if not file.is_file():
        raise DataError(
            f"source {source.name}: {file} is missing. It comes from {source.origin} ({source.licence}); "
            "put it there or set FINBACK_DATA to the folder that has it"
        )
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != source.sha256:
        raise DataError(
            f"source {source.name}: {file} has the checksum {digest}, but the recipe was made with {source.sha256}: "
            "fetch the file again, or correct the recipe if you changed it on purpose"
        )
    found = [_render(source, line, number) for number, line in _lines(file, source)]
    return [document for document in found if document is not None]


def _lines(file: Path, source: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"source {source.name}: line {number} of {file} is not JSON ({error})") from None


def _render(source: Source, line: dict[str, Any], number: int) -> str | None:
    if source.only and line.get("title") not in source.only:
        return None
    try:
        if source.form == "text":
            return BOS + neutralize(line["text"]) + EOS
        if source.form == "story":
            asked, answer = f"Tell me a story: {line['title']}", _join_lines(line["text"])
        else:
            asked, answer = line["instruction"], line["response"]
    except KeyError as error:
        raise DataError(f"source {source.name}: line {number} has no field {error} (form {source.form})") from None
    messages = [{"role": "user", "content": neutralize(asked)}, {"role": "assistant", "content": neutralize(answer)}]
    return encode_messages(messages, thinking_mode="chat")


def _join_lines(text: str) -> str:
    """Picture books break lines inside sentences; a line that ends a sentence keeps its break."""
    out = []
    for line in text.split("\n"):
        if out and out[-1] and out[-1][-1] not in ".!?\"”":
            out[-1] += " " + line.strip()
        else:
            out.append(line.strip())
    return "\n".join(out)
