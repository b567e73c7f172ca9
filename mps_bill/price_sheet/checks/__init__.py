"""The warnings of price sheets: what a bill would take, and a person should look at before it does."""
