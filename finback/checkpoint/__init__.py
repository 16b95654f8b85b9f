"""Checkpoints: DeepSeek's layout and formats on disk, models in memory."""

from .card import Card, read_card
from .load import load
from .reader import Checkpoint, CheckpointError, open_checkpoint
from .save import convert, save

__all__ = ["Card", "Checkpoint", "CheckpointError", "convert", "load", "open_checkpoint", "read_card", "save"]
