"""How does text become token ids and back, and how is a small vocabulary of the same design trained?

A thin layer over Hugging Face `tokenizers`; BOS and EOS are never added, the prompt encoder writes them.
- `encode(text, special=False)` is for text that nobody vetted: the same byte-level BPE without the added
  tokens, so a typed `<｜User｜>` becomes harmless pieces and still decodes to itself.
- `stream_decoder()` emits a character when its last byte is there, never a broken half.
- `train_tokenizer` repeats the official design at any size: digits, then CJK runs, then words and
  punctuation, byte level, no normaliser; BOS 0, EOS 1, pad 2, the other named tokens at the end.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers, processors, trainers

from finback.text.template import chat_template
from finback.text.tokens import BOS, EOS, LEGACY_TOOL_TOKENS, NAMED_TOKENS, PAD

LONG = 8192  # characters that are worth letting other threads run
_CJK_RUNS = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
_WORDS = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
    "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
    "| ?[\\p{P}\\p{S}]+[\r\n]*"
    "|\\s*[\r\n]+"
    "|\\s+(?!\\S)"
    "|\\s+"
)


def load_tokenizer(path: str | Path) -> Tokenizer:
    """From a checkpoint directory or a tokenizer.json."""
    file = Path(path)
    if file.is_dir():
        file = file / "tokenizer.json"
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} does not exist: pass a checkpoint directory that holds tokenizer.json, or that file itself"
        )
    return Tokenizer(tokenizers.Tokenizer.from_file(str(file)))


def train_tokenizer(texts: Iterable[str], vocab_size: int, digits: int = 3) -> Tokenizer:
    """A byte-level BPE of the official design with at most `vocab_size` entries, named tokens included.

    digits=3 splits numbers into runs of up to three digits as DeepSeek does, digits=1 into single digits,
    which small models find easier. A corpus too small to fill the vocabulary gives a smaller one.
    """
    if digits not in (1, 3):
        raise ValueError(f"digits is {digits}: use 3 (DeepSeek's number groups) or 1 (single digits)")
    legacy = {token.content for token in LEGACY_TOOL_TOKENS}
    named = [t for t in NAMED_TOKENS if t.content not in (BOS, EOS, PAD) and t.content not in legacy]
    smallest = 256 + 3 + len(named)
    if vocab_size < smallest:
        raise ValueError(
            f"vocab_size {vocab_size} has no room for 256 bytes and {3 + len(named)} special tokens: "
            f"use at least {smallest}"
        )
    bpe = tokenizers.Tokenizer(models.BPE())
    numbers = Regex(r"\p{N}{1,3}" if digits == 3 else r"\p{N}")
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(numbers, "isolated"),
            pre_tokenizers.Split(Regex(_CJK_RUNS), "isolated"),
            pre_tokenizers.Split(Regex(_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    bpe.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(named),
        show_progress=False,
        special_tokens=[AddedToken(t, special=True, normalized=False) for t in (BOS, EOS, PAD)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    bpe.train_from_iterator(texts, trainer)
    bpe.add_tokens([AddedToken(t.content, special=t.special, normalized=t.normalized) for t in named])
    return Tokenizer(bpe)


def _byte_table() -> dict[str, int]:
    """The printable stand-in of each byte in a byte-level vocabulary, as GPT-2 fixed it."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [b for b in range(256) if b not in printable]
    return {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(hidden)}


class Tokenizer:
    """Text to ids and ids to text, over a `tokenizers.Tokenizer`."""

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        self.backend = backend
        self.bos_id = self.token_id(BOS)
        self.eos_id = self.token_id(EOS)

    @cached_property
    def _plain(self) -> tokenizers.Tokenizer:
        """The same BPE without added tokens. Built on first use: the official file takes a second."""
        description = json.loads(self.backend.to_str())
        description["added_tokens"] = []
        return tokenizers.Tokenizer.from_str(json.dumps(description))

    @cached_property
    def _bytes(self) -> dict[str, int]:
        return _byte_table()

    @cached_property
    def vocab_size(self) -> int:
        """Rows an embedding needs: one more than the highest id."""
        return max(self.backend.get_vocab(with_added_tokens=True).values()) + 1

    def encode(self, text: str, special: bool = True) -> list[int]:
        """Ids of `text`; special=False keeps added tokens in it from being matched."""
        backend = self.backend if special else self._plain
        if len(text) < LONG:
            return backend.encode(text, add_special_tokens=False).ids
        return backend.encode_batch_fast([text], add_special_tokens=False)[0].ids  # meanwhile other threads run

    def decode(self, ids: Sequence[int]) -> str:
        """Text of `ids`, special tokens included; bytes that are no UTF-8 become U+FFFD."""
        return self.backend.decode(list(ids), skip_special_tokens=False)

    def token_id(self, token: str) -> int:
        found = self.backend.token_to_id(token)
        if found is None:
            raise KeyError(f"the tokenizer has no token {token!r}: it was made for another model or contract")
        return found

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that one id stands for; they may be part of a character."""
        token = self.backend.id_to_token(token_id)
        if token is None:
            raise KeyError(f"there is no token {token_id}: ids run from 0 to {self.vocab_size - 1}")
        if all(char in self._bytes for char in token):
            return bytes(self._bytes[char] for char in token)
        return token.encode()  # an added token is stored as it reads

    def stream_decoder(self) -> StreamDecoder:
        return StreamDecoder(self)

    def save(self, directory: str | Path, contract: str = "preview") -> None:
        """tokenizer.json and tokenizer_config.json (chat template included), as transformers reads them."""
        target = Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        self.backend.save(str(target / "tokenizer.json"))
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": BOS,
            "eos_token": EOS,
            "pad_token": PAD,
            "add_bos_token": False,
            "add_eos_token": False,
            "clean_up_tokenization_spaces": False,
            "chat_template": chat_template(contract),
        }
        text = json.dumps(config, ensure_ascii=False, indent=2) + "\n"
        (target / "tokenizer_config.json").write_text(text, encoding="utf-8")


class StreamDecoder:
    """Ids one by one to text; the pieces concatenate to `Tokenizer.decode` of all of them."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, token_id: int) -> str:
        """What is certain after this token; an unfinished character waits."""
        return self._utf8.decode(self._tokenizer.token_bytes(token_id))

    @property
    def midway(self) -> bool:
        """Whether a character waits for more bytes."""
        return bool(self._utf8.getstate()[0])

    def flush(self) -> str:
        """The end: an unfinished character becomes U+FFFD."""
        return self._utf8.decode(b"", final=True)
