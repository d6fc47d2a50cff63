#!/bin/sh
# Installs what a fresh Debian machine lacks for the demo and the tests: Orthanc, and Python's venv.
# Usage: testbench/install.sh [python3 [pages|views]]; with `pages` also what bundles the app's pages, Node and npm;
# with `views` that, and what renders pages and dashboards: Chromium.
set -eu
python=${1:-python3}
packages=
if [ -n "${2:-}" ]; then
    command -v node >/dev/null 2>&1 || packages="$packages nodejs"
    command -v npm >/dev/null 2>&1 || packages="$packages npm"
fi
if [ "${2:-}" = views ]; then
    [ -n "${COPYDICOM_CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1 ||
        command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 ||
        packages="$packages chromium fonts-dejavu-core"
fi
command -v Orthanc >/dev/null 2>&1 || [ -n "${COPYDICOM_ORTHANC:-}" ] || packages="$packages orthanc"
"$python" -c 'import ensurepip, venv' 2>/dev/null || packages="$packages python3-venv"
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "the demo and the tests need Python 3.11 or later; name one: make PYTHON=python3.12 ..." >&2
    exit 1
fi
[ -n "$packages" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "this machine has no apt-get; install these yourself:$packages" >&2
    exit 1
fi
echo "installing$packages"
root=
[ "$(id -u)" = 0 ] || root=sudo
log=$(mktemp)
# The package starts an Orthanc of its own at once; the bench runs its own, on other ports.
if ! { $root apt-get update && $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get could not install$packages" >&2
    exit 1
fi
rm -f "$log"
