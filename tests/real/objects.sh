#!/usr/bin/env bash
# Usage: objects.sh     logs read from a real S3-compatible server (moto) as from files
set -euo pipefail
. "$(dirname "$0")/lib.sh"
in_venv objects objects 600 "$real/objects.py"
