"""The use cases. The only place that commits."""

from src.reviews.bulk import arrival, create_many, turn
from src.reviews.comparing import Comparison, compare
from src.reviews.corrections import correct, withdraw
from src.reviews.explaining import explain
from src.reviews.exporting import export, export_turn
from src.reviews.filters import Filters
from src.reviews.idempotency import forget
from src.reviews.importing import Progress, import_file
from src.reviews.listing import Page, history, page
from src.reviews.records import create, create_once, delete, find, replace
from src.reviews.rescoring import Report, outdated, rescore
from src.reviews.summary import Summary, summarize
from src.reviews.versions import Version, versions

__all__ = [
    "Comparison",
    "Filters",
    "Page",
    "Progress",
    "Report",
    "Summary",
    "Version",
    "arrival",
    "compare",
    "correct",
    "create",
    "create_many",
    "create_once",
    "delete",
    "explain",
    "export",
    "export_turn",
    "find",
    "forget",
    "history",
    "import_file",
    "outdated",
    "page",
    "replace",
    "rescore",
    "summarize",
    "turn",
    "versions",
    "withdraw",
]
