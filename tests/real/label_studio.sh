#!/usr/bin/env bash
# Usage: label_studio.sh STORE PIPELINE     the store's batches through a real Label Studio and back
set -euo pipefail
. "$(dirname "$0")/lib.sh"
in_venv label-studio label-studio 900 "$real/label_studio.py" "$1" "$2"
