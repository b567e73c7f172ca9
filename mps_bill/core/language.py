"""The language of results for people: English, unless another language is set while a result is shown.

Texts are written in English where they are used, and translated there: `tr("{n} rows", n=3)`. A gettext catalogue is loaded
only for other languages, so English costs nothing. Data formats and messages about problems are always in English.
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
    """Set the language of texts inside the context, one of `LANGUAGES`."""
    global _language  # noqa: PLW0603
    before, _language = _language, name
    try:
        yield
    finally:
        _language = before


def current() -> str:
    return _language


def mark(text: str, *senses: str) -> str:  # noqa: ARG001
    """Mark a text for the catalogues, also in these senses, and return it. `tr` translates it where it is shown."""
    return text


class Said(str):
    """An English text that is made before it is shown. `tr` translates it into the language of the result."""

    __slots__ = ("text", "values")

    text: str
    values: dict[str, Any]


def said(text: str, /, **values: object) -> Said:
    made = Said(text.format(**values))
    made.text, made.values = text, values
    return made


def tr(text: str, /, *, sense: str = "", **values: object) -> str:
    """Return the text in the current language, with the names in braces replaced by the values. Texts missing in the catalogue
    stay English.

    `sense` distinguishes texts that have the same words in English.
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
    """Return the form of the text for the number `n`, which is `{n}` in it."""
    text = one if n == 1 else many
    if _language != ENGLISH:
        text = _catalogue(_language).ngettext(one, many, n)
    return text.format(n=n, **values)


@cache
def _catalogue(name: str) -> GNUTranslations:
    from gettext import GNUTranslations

    with (LOCALE / name / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        return GNUTranslations(file)
