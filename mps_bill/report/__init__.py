"""Values to tables, JSON, CSV, Markdown, workbooks, pages, charts and FOCUS.

Nothing is computed here but sums that a summary prints.
"""
