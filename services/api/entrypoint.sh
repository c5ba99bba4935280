#!/bin/sh
# Start the container. If the command is the server, first upgrade the database schema. The development image, which
# has pytest, then compiles the scoring kernel of the checkout and runs the tests; it serves only if they pass.
# Without API_KEYS, warn that the API is open. Any other command runs at once.
set -eu

if [ "${1:-}" = gunicorn ]; then
    echo "Upgrading the database schema"
    flask db upgrade
    if command -v pytest >/dev/null; then
        python -m src.sentiment_analyzer.engines.compiler
        echo "Running the tests; the service starts when they pass"
        pytest
    fi
    if [ -z "${API_KEYS:-}" ]; then
        echo "API_KEYS is not set: everyone who reaches the API can read and write. Set it to require a key."
    fi
fi

# Replace this shell, so that the server receives the stop signal.
exec "$@"
