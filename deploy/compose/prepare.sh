#!/bin/sh
# Makes the secrets that nobody should have to think up, once, and gives to each service a folder with its own only.
# Runs at every `docker compose up`, and keeps what was made. `prepare.sh rotate NAME` makes one anew.
# Under $ROOT: vault (everything, mounted by nobody else), for/SERVICE (what that service sees), open/* (see the end).
set -eu
umask 022
ROOT=${ROOT:-}
SOURCES=${SOURCES:-/etc/prepare}

# Written aside and renamed: whoever reads, or starts again after a power cut, finds all of it or nothing.
write() { # write FILE < text
    cat > "$1.new"
    mv "$1.new" "$1"
}

secret() { # secret NAME: 192 bits of the kernel's
    [ -s "$ROOT/vault/$1" ] || head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' | write "$ROOT/vault/$1"
    [ "$(wc -c < "$ROOT/vault/$1")" -eq 48 ] || { echo "prepare: $ROOT/vault/$1 is no secret" >&2; exit 1; }
}

give() { # give NAME SERVICE
    write "$ROOT/for/$2/$1" < "$ROOT/vault/$1"
}

if [ "${1:-}" = rotate ]; then
    case "${2:-}" in
        database-password | cache-password | grafana-password) rm -f "$ROOT/vault/$2" ;;
        *) echo "prepare: rotate what: database-password, cache-password or grafana-password?" >&2; exit 2 ;;
    esac
fi

chmod 700 "$ROOT/vault"
for name in owner-password database-password cache-password grafana-password; do
    secret "$name"
done

give owner-password postgres
give owner-password migrate
give database-password migrate
give database-password aside
give cache-password aside
give grafana-password grafana
# Valkey keeps no password, only its hash.
hash=$(sha256sum "$ROOT/vault/cache-password" | cut -d ' ' -f 1)
sed "s/CACHE_PASSWORD_SHA256/$hash/" "$SOURCES/valkey.acl" | write "$ROOT/for/valkey/valkey.acl"

# Folders in which a service that is not root makes its socket or its data. Those that its image has, belong to it.
for folder in "$ROOT"/open/*; do
    if [ -O "$folder" ]; then chmod 1777 "$folder"; fi
done
echo "prepare: the secrets are in place"
