"""The DeepSeek-V4 architecture as the report describes it, one file per idea."""

from finback.model.batch import Batch, Pass
from finback.model.init import new_model
from finback.model.mtp import mtp_forward, mtp_read_out, mtp_streams
from finback.model.state import Pool, SequenceState
from finback.model.trace import Trace
from finback.model.transformer import Transformer, storage_dtype

__all__ = [
    "Batch",
    "Pass",
    "Pool",
    "SequenceState",
    "Trace",
    "Transformer",
    "mtp_forward",
    "mtp_read_out",
    "mtp_streams",
    "new_model",
    "storage_dtype",
]
