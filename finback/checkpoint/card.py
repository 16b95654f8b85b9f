"""How does a checkpoint like to be used where nobody says?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Card:
    """thinking: whether the model was taught to think. temperature, top_p: as in `SamplingParams`."""

    thinking: bool = True
    temperature: float = 1.0
    top_p: float = 1.0


def read_card(folder: Path) -> Card:
    """From a checkpoint's generation_config.json, in which "thinking": false says that the model never learnt to."""
    file = folder / "generation_config.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return Card(bool(found.get("thinking", True)), float(found.get("temperature", 1.0)), float(found.get("top_p", 1.0)))
