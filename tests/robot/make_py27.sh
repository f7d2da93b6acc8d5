#!/bin/sh
# Makes .venv27, a robot's Python on this machine: real CPython 2.7 with qi 1.8.3 and pyzmq 19.0.2.
#
#   tests/robot/make_py27.sh      afterwards: .venv27/run -m pytest tests/robot
#
# It takes the Python 2.7 named by PYTHON27, else the first that works of `python2.7` and those of pyenv.
# Exit 0: .venv27 is ready (at once if nothing has changed). Exit 3: there is no Python 2.7 here. It never
# touches the interpreter it finds.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
venv=$root/.venv27
needs=$root/tests/robot/requirements27.txt
stamp=$(cat "$needs" "$0" | cksum)

if [ -x "$venv/run" ] && [ "$(cat "$venv/stamp" 2>/dev/null)" = "$stamp" ] && "$venv/run" -c "import qi, zmq" 2>/dev/null; then
    exit 0
fi

is_2_7() { [ "$("$1" -c 'import ssl, sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = 2.7 ]; }

python27=
for candidate in ${PYTHON27:-python2.7 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7.*/bin/python2.7}; do
    if is_2_7 "$candidate"; then
        python27=$(command -v "$candidate")
        break
    fi
done
if [ -z "$python27" ]; then
    echo "No Python 2.7 here: name one with PYTHON27=/path/to/python2.7, or 'pyenv install 2.7.18'." >&2
    exit 3
fi

rm -rf "$venv"
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
python3=${PYTHON3:-python3}
"$python3" -m venv "$tool"
"$tool/bin/pip" install -qq --disable-pip-version-check 'virtualenv<20.22'  # the last that makes a 2.7
"$tool/bin/virtualenv" --quiet --no-periodic-update --python "$python27" "$venv"

pip() { "$venv/bin/python" -W ignore -m pip -qq --disable-pip-version-check --no-python-version-warning "$@"; }
pip install --requirement "$needs"

# qi 1.8.3 was linked against OpenSSL 1.0, which systems of today do not have; this old wheel carries it.
pip install --no-deps psycopg2-binary==2.7.7
carried=$venv/lib/python2.7/site-packages/psycopg2/.libs
mkdir "$venv/openssl"
ln -s "$carried"/libssl-*.so.1.0.2q "$venv/openssl/libssl.so.1.0.0"
ln -s "$carried"/libcrypto-*.so.1.0.2q "$venv/openssl/libcrypto.so.1.0.0"

cat >"$venv/run" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$venv/openssl:$carried"
exec "$venv/bin/python" "\$@"
END
chmod +x "$venv/run"
"$venv/run" -c "import qi, zmq"
echo "$stamp" >"$venv/stamp"
