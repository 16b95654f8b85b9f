"""Where in the source is what a document names? Keeps the line numbers of the documents' links right.

A link to code is `[ops.hc_pre](../finback/ops/reference.py#L65-L79)`: its text ends in the name of a
function, class, method or assignment of that file (what stands before may be the module), and its
lines are those of the definition. A link whose text has no such anchor only has to exist.

Run: python docs/relink.py          rewrites the line numbers of all documents in this folder
     python docs/relink.py --check  only says which are stale or broken
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<path>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)")


def definitions(source: str) -> dict[str, tuple[int, int]]:
    """First and last line of every function, class, method, field and module-level name, by dotted name."""
    found: dict[str, tuple[int, int]] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            names: list[str] = []
            first = node.lineno
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names = [node.name]
                first = min([first, *(d.lineno for d in node.decorator_list)])
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            for name in names:
                found.setdefault(prefix + name, (first, node.end_lineno or first))
            if isinstance(node, ast.ClassDef):
                visit(node.body, f"{prefix}{node.name}.")

    visit(ast.parse(source).body, "")
    return found


def locate(symbol: str, found: dict[str, tuple[int, int]]) -> tuple[int, int] | None:
    """The lines of `module.Class.method`, however much of its beginning names the module."""
    parts = symbol.strip("`").removesuffix("()").split(".")
    for i in range(len(parts)):
        if ".".join(parts[i:]) in found:
            return found[".".join(parts[i:])]
    return None


def relink(text: str, folder: Path) -> tuple[str, list[str]]:
    """The document with right line numbers, and what is wrong with the links that have no right ones."""
    problems: list[str] = []

    def right(match: re.Match[str]) -> str:
        path, anchor = match["path"], match["anchor"] or ""
        if not path or "://" in path or path.startswith("mailto:"):
            return match[0]
        target = folder / path
        if not target.exists():
            problems.append(f"{match[0]} points to {path}, which does not exist: correct the path")
        elif target.suffix == ".py" and anchor:
            lines = locate(match["text"], definitions(target.read_text(encoding="utf-8")))
            if lines:
                return f"[{match['text']}]({path}#L{lines[0]}-L{lines[1]})"
            problems.append(f"{match[0]} names something that {path} does not define: correct the name or the path")
        return match[0]

    return _LINK.sub(right, text), problems


def check(folder: Path = DOCS) -> list[str]:
    """Every stale or broken link in the folder's documents, as a sentence with its fix."""
    wrong: list[str] = []
    for document in sorted(folder.rglob("*.md")):
        old = document.read_text(encoding="utf-8")
        new, problems = relink(old, document.parent)
        wrong += [f"{document.name}: {problem}" for problem in problems]
        for number, (before, after) in enumerate(zip(old.splitlines(), new.splitlines()), 1):
            if before != after:
                wrong.append(f"{document.name}:{number}: the line numbers are stale: run python docs/relink.py")
    return wrong


def main() -> int:
    if "--check" not in sys.argv[1:]:
        for document in sorted(DOCS.rglob("*.md")):
            old = document.read_text(encoding="utf-8")
            new, _ = relink(old, document.parent)
            if new != old:
                document.write_text(new, encoding="utf-8")
                print(f"{document.name}: rewritten")
    wrong = check()
    print("\n".join(wrong) if wrong else "all links are right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
