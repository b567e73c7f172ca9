"""`mps-bill prices schema`: JSON Schemas, so that editors complete and check what is typed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mps_bill.cli import exit_codes, options
from mps_bill.cli.output import open_output

if TYPE_CHECKING:
    from mps_bill.documents.shapes import Schema


class Described(StrEnum):
    """The kinds of document that have a schema."""

    price_sheet = "price-sheet"
    cases = "cases"
    account = "account"


def schema(
    document: Annotated[Described, typer.Argument(help="Which document the schema is for.")] = Described.price_sheet,
    output: options.Output = None,
) -> int:
    """JSON Schemas of the program's documents, for editors.

    Draft 2020-12, of price sheets, usage cases or account files. A first line
    `# yaml-language-server: $schema=FILE` in a document makes an editor use the schema.
    """
    from mps_bill.render import json

    with open_output(output) as stream:
        json.write(schema_of(document), stream)
    return exit_codes.DONE


def schema_of(document: Described) -> Schema:
    match document:
        case Described.price_sheet:
            from mps_bill.price_sheet.sheet_definition import price_sheet_schema

            return price_sheet_schema()
        case Described.cases:
            from mps_bill.ask.price_cases.case_definition import price_cases_schema

            return price_cases_schema()
        case Described.account:
            from mps_bill.settlement.account_format import account_schema

            return account_schema()
