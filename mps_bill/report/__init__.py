"""Values to tables, JSON, CSV and Markdown. Nothing is computed here but sums that a summary prints."""
