"""How do thoughts come back from a client that was not shown them?

Two dialects let a client carry thoughts that it does not display: Anthropic's thinking blocks with `display: "omitted"`
(their signature) and OpenAI's reasoning items (their `encrypted_content`). Here such a string is the thoughts
themselves, compressed: no secret, no key, and nothing for the server to remember. A client that sends it back gets
exactly the prompt that was computed before, so the prefix cache holds.
"""

from __future__ import annotations

import base64
import zlib

SEAL = "finback1"
MOST_BYTES = 8 << 20  # of thoughts that a small string may unfold to


def seal(thoughts: str) -> str:
    return f"{SEAL}:{base64.b64encode(zlib.compress(thoughts.encode())).decode()}"


def unseal(sealed: str) -> str | None:
    """The thoughts, or None for a string that this server did not make (another model's signature)."""
    name, _, rest = sealed.partition(":")
    if name != SEAL or not rest:
        return None
    try:
        opener = zlib.decompressobj()
        found = opener.decompress(base64.b64decode(rest, validate=True), MOST_BYTES)
        return found.decode() if opener.eof else None
    except (ValueError, zlib.error):
        return None
