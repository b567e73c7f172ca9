"""Paying bills from an account, and the account file that remembers it.

`settle_cycles.settle` goes through the cycles of a run; `waterfall.pay` pays one bill from the payment sources (`sources/`), each
of which is a file; `save` is the only module that touches files.
What the room holds to:

* A bill is paid at its issue time, and bills are paid in the order of their issue. Time is that of the data, never of the
  clock: without `as_of` a run ends at the issue of its last bill, and a top-up later than that has not arrived.
* A top-up arrives once. It repays what is outstanding, oldest first, then used credit; the rest is balance.
* A cycle of a product is charged once: `settled_through` is kept product by product, since their cycles and lags differ.
  What arrives for it later is late usage, which only `charge_late` bills, as a correction of its own, and never where the
  account remembers by its digest (`charged`) that it charged the same usage of the cycle before.
* A plan's units and a bill's payable are rounded once, on the running total; parts are differences of it.
* Under monthly settlement amounts are frozen bill by bill. They lower the available credit and move nothing else, until
  the month's statement is issued and paid.
"""
