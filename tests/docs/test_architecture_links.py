"""Do the documents point at the code that they name?"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"

spec = importlib.util.spec_from_file_location("relink", DOCS / "relink.py")
relink = importlib.util.module_from_spec(spec)
spec.loader.exec_module(relink)

SOURCE = '''
LIMIT = 3


@decorated
def work():
    return 1


class Room:
    size: int = 2

    def enter(self):
        pass
'''


def test_every_link_of_the_documents_is_right():
    assert relink.check(DOCS) == []


def test_the_architecture_names_code_of_every_file_of_the_model():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    for source in sorted((DOCS.parent / "finback" / "model").glob("*.py")):
        if source.name != "__init__.py":
            linked = re.search(rf"\(\.\./finback/model/{source.name}#L\d", text)
            assert linked, f"architecture.md has no link into {source.name}"


@pytest.mark.parametrize(
    ("symbol", "lines"),
    [("work", (5, 7)), ("ops.work", (5, 7)), ("`Room.enter`", (13, 14)), ("Room.size", (11, 11)), ("LIMIT", (2, 2))],
)
def test_a_symbol_is_located_with_its_decorators(symbol, lines):
    assert relink.locate(symbol, relink.definitions(SOURCE)) == lines


def test_a_method_without_its_class_is_not_located():
    assert relink.locate("enter", relink.definitions(SOURCE)) is None


def test_stale_numbers_are_rewritten_and_broken_links_reported(tmp_path):
    (tmp_path / "room.py").write_text(SOURCE)
    document = "[work](room.py#L1-L2) [gone](room.py#L1) [Room](none.py#L1) [file](room.py) [site](https://example.org/a#L1)"
    (tmp_path / "page.md").write_text(document)
    new, problems = relink.relink(document, tmp_path)
    assert new == document.replace("#L1-L2", "#L5-L7")
    assert len(problems) == 2 and "does not define" in problems[0] and "does not exist" in problems[1]
    assert len(relink.check(tmp_path)) == 3
