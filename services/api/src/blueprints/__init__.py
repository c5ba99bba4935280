"""Views: each validates the request, calls one use case and builds the response."""
