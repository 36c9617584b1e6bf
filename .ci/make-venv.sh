#!/bin/sh
# A virtual environment in $2 made by $1; Debian's python3 comes without the module for it.
set -eu
python=$1 venv=$2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "agi-bot needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Name another: make PYTHON=python3.12" >&2
    exit 1
}
if "$python" -m venv "$venv" >/dev/null 2>&1; then exit 0; fi
rm -rf "$venv"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Debian's python3-venv"
    apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
    "$python" -m venv "$venv"
else
    echo "Python's module venv is missing. On Debian: sudo apt-get install python3-venv" >&2
    exit 1
fi
