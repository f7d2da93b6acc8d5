#!/bin/sh
# Makes build/peers, an environment for what people use today: fer, facenet-pytorch and mtcnn, each pinned.
#
#   tests/bench/peers.sh      afterwards: python -m tests.bench peers
#
# They are installed without what they ask for, which contradicts itself (two OpenCVs, an older torch);
# peers.txt has what they need. One that cannot be installed here is told by its row in the table.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=$root/build/peers
stamp=$(cat "$root/tests/bench/peers.txt" "$0" | cksum)
[ "$(cat "$venv/stamp" 2>/dev/null)" = "$stamp" ] && exit 0
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
pip() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
for need in $(sed 's/#.*//' "$root/tests/bench/peers.txt"); do
    pip "$need" || echo "peers: $need could not be installed" >&2
done
for peer in fer==25.10.3 facenet-pytorch==2.5.3 mtcnn==1.0.0; do
    pip --no-deps "$peer" || echo "peers: $peer could not be installed" >&2
done
echo "$stamp" >"$venv/stamp"
