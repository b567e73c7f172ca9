"""The language of what people read: English, unless another is asked for while a result is shown.

Texts are written in English where they are made, and translated there: `tr("{n} rows", n=3)`. A catalogue (gettext) is loaded
only for another language, so English costs nothing. What programs read and every message of a problem stays English.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gettext import GNUTranslations

ENGLISH = "en"
#: English, and every language that has a folder in `mps_bill/locale/`.
LANGUAGES = (ENGLISH, "zh")
DOMAIN = "mps_bill"
LOCALE = Path(__file__).parent.parent / "locale"

_language = ENGLISH


@contextmanager
def language(name: str) -> Iterator[None]:
    """Inside, texts are in this one of `LANGUAGES`."""
    global _language  # noqa: PLW0603
    before, _language = _language, name
    try:
        yield
    finally:
        _language = before


def current() -> str:
    return _language


def mark(text: str, *senses: str) -> str:  # noqa: ARG001
    """The text as it is. It is named here for catalogues, also in these senses, and translated by `tr` where it is shown."""
    return text


class Said(str):
    """A text that is made before it is shown: in English, and `tr` says it again in the language that is shown."""

    __slots__ = ("text", "values")

    text: str
    values: dict[str, Any]


def said(text: str, /, **values: object) -> Said:
    made = Said(text.format(**values))
    made.text, made.values = text, values
    return made


def tr(text: str, /, *, sense: str = "", **values: object) -> str:
    """The text in the current language (English where its catalogue has none), with the values in the places of their names.

    `sense` tells apart texts that are the same words in English.
    """
    if _language != ENGLISH and text:
        if isinstance(text, Said):
            return tr(
                text.text, **{name: tr(one) if isinstance(one, Said) else one for name, one in text.values.items()}
            )
        catalogue = _catalogue(_language)
        found = catalogue.pgettext(sense, text) if sense else text
        text = catalogue.gettext(text) if found == text else found
    return text.format(**values) if values else text


def tr_many(one: str, many: str, n: int, /, **values: object) -> str:
    """The form of the text for a number, which stands in it as `{n}`."""
    text = one if n == 1 else many
    if _language != ENGLISH:
        text = _catalogue(_language).ngettext(one, many, n)
    return text.format(n=n, **values)


@cache
def _catalogue(name: str) -> GNUTranslations:
    from gettext import GNUTranslations

    with (LOCALE / name / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        return GNUTranslations(file)
