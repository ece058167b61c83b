#!/bin/sh
# Makes what compose.yaml names under `secrets`, once. Keep a copy of secrets/pepper: without it every token is dead.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
for name in pepper store-password; do
  # Containers read them as users of their own; the folder keeps everybody else out.
  [ -e "secrets/$name" ] || openssl rand -base64 48 | tr -d '\n' > "secrets/$name"
  chmod 644 "secrets/$name"
done
