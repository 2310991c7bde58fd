"""journal.jsonl -> numbers -> report.json, a table and report.html. `python -m glue.report RUN_DIR`."""
