"""Results as named, typed tables, made once, and JSON documents, written by hand.

A view has a method for each part that a format needs (`render/formats.py` lists the formats and their parts):

* `printed()`: tables and notes in reading order,
* `records()`: one table for programs and spreadsheets,
* `document()`: the JSON contract, with the values of the records (`render/json.py` turns them into text),
* `tables()` and `page()`: a report of named tables, for a workbook and for a page with charts,
* `journal()`: typed transactions between asserted balances, for double-entry programs,
* `charts()`, `focus()`, `findings()`, `suites()`, `lines()`: the content of charts, of FOCUS, and of formats for editors and CI.

Views compute nothing except the sums that a summary prints.
"""
