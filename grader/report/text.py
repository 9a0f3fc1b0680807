"""Strings from anywhere, made fit to be shown: nothing invisible, nothing endless."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

SENTENCE = 2_000
"""Most characters of a sentence, a name or a source line on a page."""

_TERMINAL_COLOUR = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
# Control characters, direction overrides (they make text read differently from what it says), and lone surrogates
# (they come from undecodable file names and cannot be written as UTF-8).
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def visible(text: str) -> str:
    """`text` with terminal colours removed and every unshowable character replaced by a picture of it."""
    text = _TERMINAL_COLOUR.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNSHOWABLE.sub(lambda match: _picture(match[0]), text)


def shortened(text: str, limit: int) -> str:
    """`text` where it has at most `limit` characters, otherwise its beginning and its end."""
    if len(text) <= limit:
        return text
    head, tail = limit - limit // 4, limit // 4
    return f"{text[:head]}\n[… {len(text) - head - tail} characters left out …]\n{text[-tail:]}"


def passage(text: str, limit: int) -> Markup:
    """A long text of a student, safe to put into HTML."""
    return escape(visible(shortened(text, limit)))


def points(value: float) -> str:
    """A number of points: at most two decimals, none where it is whole."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def counted(number: int, noun: str) -> str:
    """`1 check`, `2 checks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _picture(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"


_TYPOGRAPHY = (
    (re.compile(r"\|\|"), "‖"),
    (re.compile(r"<="), "≤"),
    (re.compile(r">="), "≥"),
    (re.compile(r"\bgrad "), "∇"),
    (re.compile(r"\bgamma\b"), "γ"),
    (re.compile(r"\bmu\b"), "μ"),
    (re.compile(r"\bx_k\b"), "xₖ"),
    (re.compile(r"\bx_0\b"), "x₀"),
    (re.compile(r"\^2\b"), "²"),
    (re.compile(r"(?<=[\w)*]) - (?=[\w(])"), " − "),
)


def mathematics(text: str) -> str:
    """The plain mathematics of docstrings ("||x_k - x*|| <= ...") with the signs of print ("‖xₖ − x*‖ ≤ ...")."""
    for pattern, sign in _TYPOGRAPHY:
        text = pattern.sub(sign, text)
    return text
