#!/bin/sh
# Makes the key with which Prometheus asks for metrics, once, and writes it to $KEY_FILE, which only Prometheus reads.
# Remove the file and revoke the key (`aside keys list`), and the next start makes another one.
set -eu
umask 022
if [ ! -s "$KEY_FILE" ]; then
    aside keys create prometheus --scope 'observe:*' --actor compose > "$KEY_FILE.new"
    mv "$KEY_FILE.new" "$KEY_FILE"
fi
