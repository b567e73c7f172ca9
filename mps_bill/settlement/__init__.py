"""Paying bills from an account, and the account file that remembers it.

`settle_cycles.settle` goes through the cycles of a run; `waterfall` covers quantity and pays one bill from the payment sources
(`sources/`, one file each); `save` is the only module that reads and writes files. The rules of the package:

* A bill is paid at its issue time, and bills are paid in the order of their issue. Time comes from the data, never from the
  clock: without `as_of` a run ends at the issue of its last bill, and a later top-up has not arrived.
* A top-up arrives once. It repays outstanding bills, oldest first, then used credit; the rest is balance.
* A cycle of a product is charged once: `settled_through` is kept by product, because their cycles and lags differ. Usage that
  arrives later is late usage. Only `charge_late` bills it, as a separate correction, and never if the account remembers by its
  digest (`charged`) that it has already charged the same usage of the cycle.
* A plan's units and a bill's payable are rounded once, on the running total; parts are differences of it.
* Under monthly settlement amounts are frozen bill by bill. They lower the available credit and change nothing else until the
  month's statement is issued and paid.
"""
