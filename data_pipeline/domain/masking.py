"""Masks personal values in rejected records and in values that are stored."""

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from data_pipeline.domain.dialects import Pii
from data_pipeline.domain.rejects import Problem, Reject
from data_pipeline.errors import PiiKeyMissing

HASH_BLOCK_BYTES: Final = 64  # of SHA-256
_LETTER = re.compile(r"[A-Za-z]|[^\x00-\x7f]")
_DIGIT = re.compile(r"[0-9]")
_LETTER_BYTE, _DIGIT_BYTE = re.compile(rb"[A-Za-z\x80-\xff]"), re.compile(rb"[0-9]")
_REMOVED = "(removed)"
_MIN_BARE_LETTERS = 3  # shorter texts occur in the words of a message


def mask_value(text: str, pii: Pii, *, hash_key: bytes) -> str | None:
    """Return what is stored for a personal value.

    That is nothing, its shape, or its keyed hash. The shape has x for letters and 9 for digits. The hash is HMAC-SHA256
    in 64 hexadecimal digits: equal values stay equal, and without the key none can be tried. Raises `PiiKeyMissing`.
    """
    if pii is Pii.DROP:
        return None
    if pii is Pii.MASK:
        return _DIGIT.sub("9", _LETTER.sub("x", text))
    if not hash_key:
        raise PiiKeyMissing
    return hmac.digest(hash_key, text.encode("utf-8", "surrogateescape"), "sha256").hex()


def masked_bytes(raw: bytes) -> bytes:
    """Return the shape of bytes: x for letters, 9 for digits.

    Bytes beyond ASCII count as letters.
    """
    return _DIGIT_BYTE.sub(b"9", _LETTER_BYTE.sub(b"x", raw))


def hash_pads(hash_key: bytes) -> tuple[bytes, bytes]:
    """Return the inner and outer pad of HMAC-SHA256 (RFC 2104).

    With them, PostgreSQL computes the hash by sha256().
    """
    if not hash_key:
        raise PiiKeyMissing
    block = (hash_key if len(hash_key) <= HASH_BLOCK_BYTES else sha256(hash_key).digest()).ljust(
        HASH_BLOCK_BYTES, b"\0"
    )
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    return inner, outer


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectMasking:
    """Masks rejected records of one file. Without a personal column it changes nothing."""

    columns: Sequence[str | None]  # columns of the table by position in the file
    pii: dict[str, Pii]  # by column of the table
    delimiter: bytes = b","
    quote: bytes = b'"'
    hash_key: bytes = field(repr=False)

    def masked(self, reject: Reject) -> Reject:
        """Return a reject without personal values in any of its parts."""
        if not self.pii:
            return reject
        fields = self._split(reject.raw)
        personal = [
            _unquoted(text, self.quote)
            for column, text in zip(self.columns, fields or (), strict=False)
            if column in self.pii
        ]
        return replace(
            reject,
            raw=self._masked_raw(reject.raw, fields),
            problems=[self._masked_problem(problem, personal) for problem in reject.problems],
        )

    def _masked_problem(self, problem: Problem, personal: Iterable[str]) -> Problem:
        pii = self.pii.get(problem.column or "")
        if pii is None or problem.value is None:
            return replace(problem, reason=_without_texts(problem.reason, personal))
        reason = _without_texts(problem.reason, (problem.value, *personal))
        return replace(problem, reason=reason, value=mask_value(problem.value, pii, hash_key=self.hash_key))

    def _split(self, raw: bytes) -> list[bytes] | None:
        """Return the fields as in the file.

        None means that the record does not have one for each column.
        """
        quote, delimiter = re.escape(self.quote), re.escape(self.delimiter)
        one = rb"%b(?:[^%b]|%b%b)*%b|[^%b%b\r\n]*" % (quote, quote, quote, quote, quote, quote, delimiter)
        if not re.fullmatch(rb"(?:%b)(?:%b(?:%b))*" % (one, delimiter, one), raw):
            return None
        fields = [match[1] for match in re.finditer(rb"(?:^|%b)(%b)" % (delimiter, one), raw)]
        return fields if len(fields) == len(self.columns) else None

    def _masked_raw(self, raw: bytes, fields: Sequence[bytes] | None) -> bytes:
        if fields is None:  # the personal values may be anywhere
            return b"" if Pii.DROP in self.pii.values() else masked_bytes(raw)
        return self.delimiter.join(map(self._masked_field, self.columns, fields))

    def _masked_field(self, column: str | None, text: bytes) -> bytes:
        if column is None or column not in self.pii:
            return text
        masked = mask_value(_unquoted(text, self.quote), self.pii[column], hash_key=self.hash_key) or ""
        return self._quoted(masked.encode()) if text.startswith(self.quote) else masked.encode()

    def _quoted(self, text: bytes) -> bytes:
        return self.quote + text.replace(self.quote, self.quote * 2) + self.quote


def _unquoted(field_bytes: bytes, quote: bytes) -> str:
    if field_bytes.startswith(quote):
        field_bytes = field_bytes[1:-1].replace(quote * 2, quote)
    return field_bytes.decode("utf-8", "surrogateescape")


def _without_texts(reason: str, texts: Iterable[str]) -> str:
    """Remove the texts that a message of PostgreSQL quotes or lists."""
    for text in sorted({text for text in texts if text}, key=len, reverse=True):
        reason = reason.replace(f'"{text}"', _REMOVED)
        if len(text) >= _MIN_BARE_LETTERS:
            reason = reason.replace(text, _REMOVED)
    return reason
