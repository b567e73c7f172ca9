"""Results as named, typed tables, made once; and the JSON documents, which are written by hand.

A view has a method for each part that a format can ask for (`render/formats.py` says which format asks for which):

* `printed()`: tables and notes in the order in which a person reads them,
* `records()`: one table for programs and spreadsheets,
* `document()`: the JSON contract, of the values that the records have (`render/json.py` makes them text),
* `tables()` and `page()`: a report of named tables, for a workbook and for a page with charts,
* `journal()`: typed transactions between asserted balances, for programs of double entry,
* `charts()`, `focus()`, `findings()`, `suites()`, `lines()`: what charts, FOCUS, and the formats of editors and CI show.

Nothing is computed here but sums that a summary prints.
"""
