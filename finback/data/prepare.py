"""How do sources become a tokenised corpus?

In three passes, each of which can be killed at any moment. First every file is checked. Then every
document gets a verdict: train on it, hold it out, or leave it out because it is empty or a copy. Last
the documents are tokenised into shards. A finished shard is entered in the unfinished index; the last
act is to rename that to `index.json`, so a folder has a complete index or none, and what was finished
is reused. Whether a document is held out depends on its own text alone: other data may come and go,
and a copy lands on the same side. A folder belongs to one preparing process at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import batched_characters
from pathlib import Path

import numpy as np
