"""Reviews in files: readers, writers, strict JSON, and CSV cells that no spreadsheet takes for formulas."""
