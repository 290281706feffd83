#!/usr/bin/env bash
# Usage: onnx.sh     redaction with a token classifier that is trained here, in real ONNX Runtime
#   GRISTMILL_BIN  a binary with the feature `onnx`; without the feature all is skipped
set -euo pipefail
. "$(dirname "$0")/lib.sh"
in_venv onnx onnx 900 "$real/token_classifier.py"
