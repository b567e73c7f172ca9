"""The program, as `python -m mps_bill`."""

from mps_bill.cli import main

if __name__ == "__main__":
    main()
