#!/usr/bin/env bash
# Usage: trl.sh STORE     every release of the store, taken by TRL's checks, templates and trainers
set -euo pipefail
. "$(dirname "$0")/lib.sh"
in_venv loaders trl 900 "$real/trl_checks.py" "$1"
