"""Values of options that need no conversion are taken as they are.

The library of the command line converts values by another one, whose import takes longer than a small bill. But most values
are text that stays text, a word of a list, or not given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, get_args


class _Conversion:
    """The conversion of one parameter: that of the library, where there is something to convert or to refuse."""

    def __init__(self, taken: Any, of_the_library: Callable[[], Any]) -> None:
        self._taken, self._of_the_library = taken, of_the_library

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if self._taken == list[str] and isinstance(value, list | tuple):
            return list(value)
        if isinstance(self._taken, type):
            if isinstance(value, self._taken):
                return value
        elif isinstance(value, str) and value in get_args(self._taken):
            return value
        return self._of_the_library().coerce(value, param=param, ctx=ctx)


def convert_where_needed(parameters: Iterable[Any]) -> None:
    """Gives the parameters of a command conversions that load nothing for a value that needs none."""
    for parameter in parameters:
        spelt = parameter.type_descriptor
        if spelt.parameter_info.parser is None:
            parameter.get_runtime_param = partial(_Conversion, spelt.annotation, parameter.get_runtime_param)
