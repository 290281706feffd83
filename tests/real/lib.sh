# Sourced by the scripts beside it.
real=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONDONTWRITEBYTECODE=1 # no __pycache__ in the source tree

# in_venv NAME PART SECONDS SCRIPT ARGS…: runs a check script in its venv, or says why not.
in_venv() {
    local name=$1 part=$2 seconds=$3 venv
    shift 3
    if ! venv=$("$real/venv.sh" "$name"); then
        echo "FAIL $part venv: pip could not make it"
        return 1
    fi
    case $venv in
    SKIP:*)
        echo "SKIP $part:${venv#SKIP:}"
        return 0
        ;;
    esac
    # TERM first, so that a script can stop what it started.
    timeout --kill-after=60 "$seconds" "$venv/bin/python" "$@"
}
