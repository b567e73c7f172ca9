"""`mps-bill schema`: the JSON Schemas of documents, for completion and checks in editors."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mps_bill.cli import exit_codes, options
from mps_bill.cli.completion import documents
from mps_bill.cli.options import argument
from mps_bill.cli.output import open_output
from mps_bill.core.diagnostics import one_of, unknown

if TYPE_CHECKING:
    from mps_bill.documents.read_document import Document

#: Every format of documents, with the module whose `DOCUMENT` defines it.
DOCUMENTS = {
    "price-sheet": "mps_bill.price_sheet.sheet_definition",
    "price-cases": "mps_bill.ask.price_cases.read_cases",
    "account": "mps_bill.settlement.account_format",
    "packs": "mps_bill.ask.advise.read_packs",
    "profile": "mps_bill.profiles.profile_definition",
    "bill-mapping": "mps_bill.reconcile.export_mapping",
    "config": "mps_bill.config.file",
}
_FORMER_NAMES = {"cases": "price-cases"}


def _known(name: str) -> str:
    name = _FORMER_NAMES.get(name, name)
    if name not in DOCUMENTS:
        raise typer.BadParameter(unknown("document format", name, DOCUMENTS, priced=False))
    return name


_DOCUMENT = f"The format of the document: {one_of(tuple(DOCUMENTS))}."


def schema(
    document: Annotated[str, argument("[FORMAT]", _DOCUMENT, documents, callback=_known)] = "price-sheet",
    output: options.Output = None,
) -> int:
    """Print the JSON Schema of a document format, for editors.

    The schema follows draft 2020-12. To make an editor use it, begin a document with the line `# yaml-language-server:
    $schema=FILE`.
    """
    from mps_bill.render import json

    with open_output(output) as stream:
        json.write(document_of(document).schema(), stream)
    return exit_codes.DONE


def document_of(name: str) -> Document[Any]:
    found: Document[Any] = import_module(DOCUMENTS[name]).DOCUMENT
    return found
