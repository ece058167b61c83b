#!/bin/sh
# For SFTPGo's `external_auth_hook`: the password of a login is an app token that allows all of route:sftp:rw.
# In sftpgo.json: "data_provider": { "external_auth_hook": "/etc/sftpgo/external-auth.sh", "external_auth_scope": 1 }
# SFTPGo tells of the login in the environment, and reads a user as JSON. To print nothing would be a yes.
latchkey=/usr/bin/latchkey
url=http://127.0.0.1:8082/verify
key=/etc/latchkey/sftpgo.key
homes=/srv/sftpgo/data

# SFTPGo clears the environment; latchkey looks for node.
PATH=/usr/local/bin:/usr/bin:/bin
export PATH

refuse() {
  printf '{"username":""}\n'
  exit "$1"
}

name=${SFTPGO_AUTHD_USERNAME:-}
# The name becomes a folder and a string of JSON.
case $name in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._@-]*) refuse 0 ;; esac
# Empty where the client shows a key or a certificate instead.
[ -n "${SFTPGO_AUTHD_PASSWORD:-}" ] || refuse 0

# Latchkey knows alice as ALICE, too, but verifies the one spelling alone: the folder is that of no other user.
printf '%s\n%s\n' "$name" "$SFTPGO_AUTHD_PASSWORD" | "$latchkey" verify \
  --url "$url" --key-file "$key" --scope route:sftp:rw --address "${SFTPGO_AUTHD_IP:-}"
case $? in
  0) ;;
  4) refuse 0 ;;
  *) refuse 1 ;;
esac

printf '{"status":1,"username":"%s","home_dir":"%s/%s","permissions":{"/":["*"]}}\n' "$name" "$homes" "$name"
