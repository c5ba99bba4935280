#!/bin/sh
# Start the container. In the development image, which has pytest, the server starts only when the scoring kernel of the
# checkout is compiled and the tests pass. Any other command runs at once.
set -eu

if [ "${1:-} ${2:-}" = "flask serve" ] && command -v pytest >/dev/null; then
    python -m src.sentiment_analyzer.engines.compiler
    echo "Running the tests; the service starts when they pass"
    pytest
fi

# Replace this shell, so that the server receives the stop signal.
exec "$@"
