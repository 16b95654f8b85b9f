"""Checkpoints: DeepSeek's layout and formats on disk, models in memory."""

from .load import load
from .reader import Checkpoint, CheckpointError, open_checkpoint
from .save import convert, save

__all__ = ["Checkpoint", "CheckpointError", "convert", "load", "open_checkpoint", "save"]
