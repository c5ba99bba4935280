"""The use cases of the service: what can be done with reviews.

A use case is a function. It takes what it needs as arguments: the database session first, then the analyzer if it
scores, then values. It knows nothing of HTTP.

A use case that writes commits before it returns, and one that yields commits before each yield. One that only reads
never commits. Nothing outside this package commits.
"""

from src.reviews.bulk import Known, create_many
from src.reviews.comparison import Comparison, compare
from src.reviews.corrections import correct, withdraw
from src.reviews.evidence import explain
from src.reviews.exports import export
from src.reviews.filters import Filters
from src.reviews.idempotency import ClientKey, forget_keys
from src.reviews.imports import BusyImport, Progress, import_file
from src.reviews.listing import Page, history, page
from src.reviews.loading import ScoredReview, build_words_index, drop_words_index, load
from src.reviews.movies import MovieName, name_movie
from src.reviews.records import Stored, create, create_once, delete, describe, find, new_group_commit, replace
from src.reviews.rescoring import Report, outdated, rescore
from src.reviews.slots import BULK_REQUESTS, EXPORTS, UPLOADS, slot
from src.reviews.submissions import Details, Submission
from src.reviews.summary import Summary, summarize
from src.reviews.versions import Version, versions

__all__ = [
    "BULK_REQUESTS",
    "EXPORTS",
    "UPLOADS",
    "BusyImport",
    "ClientKey",
    "Comparison",
    "Details",
    "Filters",
    "Known",
    "MovieName",
    "Page",
    "Progress",
    "Report",
    "ScoredReview",
    "Stored",
    "Submission",
    "Summary",
    "Version",
    "build_words_index",
    "compare",
    "correct",
    "create",
    "create_many",
    "create_once",
    "delete",
    "describe",
    "drop_words_index",
    "explain",
    "export",
    "find",
    "forget_keys",
    "history",
    "import_file",
    "load",
    "name_movie",
    "new_group_commit",
    "outdated",
    "page",
    "replace",
    "rescore",
    "slot",
    "summarize",
    "versions",
    "withdraw",
]
