#!/usr/bin/env bash
# Makes the environments of the published FOCUS validators: .validators/1.0 and .validators/1.2 in the working folder.
# The latter needs Python 3.12 or later, and a numpy that has wheels for 3.12; so 3.12 is looked for first.
set -euo pipefail

python_for() {
  local wanted=$1 candidate
  shift
  for candidate in "$@"; do
    if "$candidate" -c "import sys, venv; sys.exit(sys.version_info < $wanted)" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "no Python $wanted or later was found for a FOCUS validator" >&2
  return 1
}

environment() {
  local folder=.validators/$1 python=$2
  shift 2
  [ -e "$folder/.ready" ] && return
  rm -rf "$folder"
  "$python" -m venv "$folder"
  "$folder/bin/python" -m pip install -qq --disable-pip-version-check "$@"
  touch "$folder/.ready"
}

shopt -s nullglob
pyenv=${PYENV_ROOT:-$HOME/.pyenv}/versions
newer=(python3.12 "$pyenv"/3.12*/bin/python python3.13 "$pyenv"/3.13*/bin/python python3)
# What the validators pin is older than what they allow: these would be too new for the rest of it.
environment 1.0 "$(python_for "(3, 9)" python3.11 python3)" focus-validator==1.0.0 "multimethod<2"
environment 1.2 "$(python_for "(3, 12)" "${newer[@]}")" focus-validator==2.2.1 "pyarrow<18"
