"""IPython's own syntax in a cell (`%magic`, `!command`, `name?`) translated to plain Python calls of `get_ipython()`.

The translation is IPython's input transformer, so that a cell means here what it meant to the student. It works on
tokens and never compiles or runs anything. It reads a cell once more for every line that it changes, in pure Python,
so ordinary cells pass by it, and a submission that would keep it busy for long is left as it is.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.inputtransformer2 import TransformerManager

_SUSPECT = re.compile(
    r"""
      ^[ \t]*(?: [%!?/,;] | >>> | \.\.\. | In[ ]\[ | \[(?:ins|nav)\] )   # escapes and pasted prompts
    | \?[ \t]*$                                                          # help: name?
    | =[ \t]*[%!]                                                        # files = !ls
    """,
    re.MULTILINE | re.VERBOSE,
)
# Blank lines, and cell magics that only measure or capture what the rest of the cell does.
_LEAD = re.compile(r"(?:[ \t]*\n|%%(?:time|timeit|capture|prun)\b[^\n]*(?:\n|\Z))*+")


class Translator:
    """Translates the cells of one submission.

    Args:
        budget: characters that may be read again in all; at the default some 5 seconds for the worst submission.
    """

    def __init__(self, budget: int = 2_000_000) -> None:
        self._budget = budget

    def translate(self, source: str) -> str | None:
        """Plain Python in which lines keep their numbers, or None where the budget is spent.

        A cell that IPython cannot translate is returned as it is. A cell magic that only measures or captures
        (`%%time`) is taken away, so that what the cell defines is defined.
        """
        found = _LEAD.match(source)
        lead = found[0] if found else ""
        code = source[len(lead) :]
        if "%%" in lead:
            lead = "\n" * lead.count("\n")
            source = lead + code
        suspects = sum(1 for _ in _SUSPECT.finditer(code))
        if not suspects and not code.startswith((" ", "\t")):
            return source
        # The second term: IPython looks for `name?` with a regular expression that is quadratic in a line's length.
        cost = len(code) * (suspects + 1) + max(map(len, code.split("\n"))) ** 2 // 40
        if cost > self._budget:
            return None
        self._budget -= cost
        try:
            translated = _transformer().transform_cell(code)
        except Exception:  # IPython names no exceptions for this; the cell will be reported where it is executed
            return source
        return lead + (translated if code.endswith("\n") else translated.removesuffix("\n"))


@functools.cache
def _transformer() -> TransformerManager:
    from IPython.core.inputtransformer2 import TransformerManager  # 80 ms; most submissions do without

    return TransformerManager()  # type: ignore[no-untyped-call]
