"""Reviews in files: readers, writers, and what guards a spreadsheet."""
