#!/usr/bin/env bash
# Usage: loaders.sh STORE     every release of the store, read by datasets, polars, pandas and duckdb
set -euo pipefail
. "$(dirname "$0")/lib.sh"
in_venv loaders loaders 600 "$real/loaders.py" "$1"
