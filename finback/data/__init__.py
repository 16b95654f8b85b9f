"""Text for training: where it comes from, and how it becomes batches.

    corpus = prepare(sources, tokenizer, "corpus", data_root(), held_out=0.02)
    stream = Stream(corpus, sources, seed=1)
    pieces = stream.next(batch_tokens=4096, sequence=512)
"""

from finback.data.duplicates import Duplicates
from finback.data.middle import FimTokens, fill_in_the_middle, fim_tokens
from finback.data.packing import pack
from finback.data.prepare import is_held_out, prepare, text_widths
from finback.data.shards import HELD_OUT, TRAIN, Corpus, Documents, open_shards, write_atomically
from finback.data.sources import DataError, Source, check_file, data_root, read_documents
from finback.data.stream import Seen, Stream

__all__ = [
    "HELD_OUT",
    "TRAIN",
    "Corpus",
    "DataError",
    "Documents",
    "Duplicates",
    "FimTokens",
    "Seen",
    "Source",
    "Stream",
    "check_file",
    "data_root",
    "fill_in_the_middle",
    "fim_tokens",
    "is_held_out",
    "open_shards",
    "pack",
    "prepare",
    "read_documents",
    "text_widths",
    "write_atomically",
]
