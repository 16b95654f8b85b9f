"""Text for training: where it comes from, and how it becomes batches."""

from finback.data.packing import Loader, pack
from finback.data.sources import DataError, Source, documents, data_root

__all__ = ["DataError", "Loader", "Source", "data_root", "documents", "pack"]
