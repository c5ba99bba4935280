#!/bin/sh
# Starts the container. Before the server, and before no other command, it upgrades the database's schema and,
# where pytest is installed (the development image), compiles the scoring kernel of the checkout and runs the tests:
# nothing is served unless they pass. Without API_KEYS it says that the API is open.
set -eu

if [ "${1:-}" = gunicorn ]; then
    echo "Upgrading the database's schema"
    flask db upgrade
    if command -v pytest >/dev/null; then
        python -m src.sentiment_analyzer.engines.compiler
        echo "Running the tests; serving starts once they pass"
        pytest
    fi
    if [ -z "${API_KEYS:-}" ]; then
        echo "API_KEYS is not set: whoever reaches the API can read and write."
    fi
fi

# In this process's place, so that the server gets the signal to stop.
exec "$@"
