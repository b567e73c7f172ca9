"""The accounts used in journals, which the config file can rename under `books`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mps_bill.core.diagnostics import Kind, Problem
from mps_bill.documents.fields import Fields, Located, Many, optional
from mps_bill.documents.shapes import MapOf, Record
from mps_bill.documents.values import Choice, Text, matching, word
from mps_bill.settlement.sources import QUANTITY_SOURCES, SOURCES
from mps_bill.settlement.sources.payment_source import QuantitySource

BAD_LEDGER_ACCOUNT = Kind("C211", "bad-ledger-account")
SHARED_LEDGER_ACCOUNT = Kind("C212", "shared-ledger-account")


def _component(key: str) -> str:
    """Turn `credit_line` into `Credit-Line`."""
    return "-".join(word.capitalize() for word in key.split("_"))


def usage_key(source: type[QuantitySource]) -> str:
    """Return the key for the units that a source of quantity provided: `plan_usage`."""
    return f"{source.total_key}_usage"


#: Where money comes from or goes to, except balances: key -> default account, description.
FLOWS = {
    "expenses": ("Expenses:Cloud", "list amounts; it has a subaccount for each product and item"),
    "discounts": ("Expenses:Cloud:Discounts", "discounts of a contract, which lower the expenses"),
    "rounding": ("Expenses:Cloud:Rounding", "rounding adjustments of bills and statements"),
    **{
        usage_key(source): (
            f"Expenses:Cloud:{_component(usage_key(source))}",
            f"the units that {source.pool_title.lower()} provided",
        )
        for source in QUANTITY_SOURCES
    },
    "top_ups": ("Assets:Bank", "where top-ups come from"),
    "opening_balances": ("Equity:Opening-Balances", "the origin of the account's opening balances"),
}
#: What has a balance: key -> default account, description. A source with ids has a subaccount for each id.
BALANCES = {
    **{
        source.pool: (
            f"{'Liabilities' if source.is_owed else 'Assets'}:Cloud:{_component(source.pool)}",
            source.in_books,
        )
        for source in SOURCES
    },
    "outstanding": ("Liabilities:Cloud:Payable", "the outstanding amount"),
    "frozen": ("Liabilities:Cloud:Accrued", "amounts frozen until their monthly statement"),
}
#: The account names that beancount accepts; hledger accepts more.
_ACCOUNT_NAME = r"(Assets|Liabilities|Equity|Income|Expenses)(:[A-Z0-9](-|[^\W_])*)+"
_account = Text(
    "an account of the books",
    matching(
        _ACCOUNT_NAME,
        "an account of the books",
        "Assets, Liabilities, Equity, Income or Expenses, followed by names, such as Assets:Cloud:Balance; a name begins"
        " with a capital letter or a digit and consists of letters, digits and -",
    ),
    _ACCOUNT_NAME,
    BAD_LEDGER_ACCOUNT,
)
_item = word("an item code", r"[A-Za-z0-9][A-Za-z0-9_.+-]*", BAD_LEDGER_ACCOUNT, "a code of a price sheet")
#: The keys whose accounts have a subaccount for each id.
_BY_ID = {source.pool for source in SOURCES if source.has_ids}
_NAMED = {
    key: optional(key, _account, f"{doc}; default: {default}") for key, (default, doc) in (FLOWS | BALANCES).items()
}
_ITEMS = optional("items", MapOf("the accounts of items", _item, _account), "the account of an item, by its code")
_OPENING = optional(
    "opening",
    Choice("a truth value", {"true": True, "false": False}),
    "whether a journal begins with the account's balances (true) or continues books that already have them (false);"
    " default: true",
)


@dataclass(frozen=True, slots=True)
class Books:
    """The accounts that the config file names for journals, and whether a journal opens the books."""

    named: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)
    opening: bool = True

    def account(self, key: str) -> str:
        """Return the account for a key of `FLOWS` or `BALANCES`."""
        return self.named.get(key) or (FLOWS | BALANCES)[key][0]


#: The default accounts.
STANDARD_BOOKS = Books()


def _check(fields: Fields) -> Iterator[Problem]:
    """Check that an account whose balance is asserted, with its subaccounts, is used for nothing else."""
    given = {key: value for key in _NAMED if isinstance(value := fields.get(_NAMED[key]), Located)}
    account = {key: given[key].value if key in given else default for key, (default, _) in (FLOWS | BALANCES).items()}
    places = {key: value.place for key, value in given.items()}
    for entry in fields.parts(_ITEMS):
        if entry.value:
            account[f"items: {entry.key.value}"] = entry.value.value
            places[f"items: {entry.key.value}"] = entry.value.place
    for key in BALANCES:
        for other, name in account.items():
            # Balances may share an account, but not with one of its subaccounts.
            shared = other in BALANCES and (other in _BY_ID) == (key in _BY_ID)
            same = name == account[key] and not shared and key not in _BY_ID
            place = places.get(other) or places.get(key)
            if place and other != key and (same or name.startswith(f"{account[key]}:")):
                below = "" if same else "a subaccount of "
                message = f"{other}, {name}, is {below}the account of {key}, whose balance is asserted"
                yield Problem(place, SHARED_LEDGER_ACCOUNT, message)


SHAPE = Record("the accounts of the books", (*_NAMED.values(), _ITEMS, _OPENING), check=_check)


def books_text(fields: Fields) -> Iterator[str]:
    """Yield what the config file says about the books, one text for each account."""
    for key, value in fields.values.items():
        match value:
            case Located(value=bool()):
                yield f"{key}={str(value.value).lower()}"
            case Located():
                yield f"{key}={value.value}"
            case Many():
                yield from (f"{key}.{entry.key.value}={entry.value.value}" for entry in value.parts)


def books_of(texts: Iterable[str]) -> Books:
    """Return the books from the texts that `books_text` made."""
    values = dict(text.split("=", 1) for text in texts)
    opening = values.pop("opening", "true") == "true"
    items = {key.removeprefix("items."): values.pop(key) for key in list(values) if key.startswith("items.")}
    return Books(values, items, opening)
