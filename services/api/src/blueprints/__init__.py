"""Views: each validates the request, calls one use case and builds the response.

Two do otherwise: the page calls several use cases, and `/readyz` asks the database itself.
"""
