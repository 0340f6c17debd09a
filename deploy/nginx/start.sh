#!/bin/sh
# Starts nginx with what the compose file says; a sentence instead of a stack of errors when the
# certificate is missing.
set -eu
tls=/etc/ragfleet-tls
for file in fullchain.pem privkey.pem; do
    if [ ! -r "$tls/$file" ]; then
        echo "There is no $file in TLS_DIR; put the certificate and its key there (docs/compose.md)." >&2
        exit 1
    fi
done
# The form around a file takes some bytes, too. The API itself looks at the sizes, in its own words.
largest=$((MAX_UPLOAD_BYTES + 1048576))
largest_request=$((MAX_REQUEST_BYTES + 524288))
port=""
if [ "$HTTPS_PORT" != 443 ]; then port=":$HTTPS_PORT"; fi
# Docker's own name server: the API may get another address at any time.
resolver=$(awk '/^nameserver/ { print $2; exit }' /etc/resolv.conf)
sed -e "s|@LARGEST_BODY@|$largest|" \
    -e "s|@LARGEST_REQUEST@|$largest_request|" \
    -e "s|@HTTPS_PORT@|$port|" \
    -e "s|@RESOLVER@|$resolver|" \
    -e "s|@RATE@|$REQUESTS_PER_SECOND|" \
    -e "s|@SERVER_NAME@|$SERVER_NAME|" \
    /etc/ragfleet/nginx.conf > /tmp/nginx.conf
nginx -t -q -c /tmp/nginx.conf
exec nginx -c /tmp/nginx.conf -g 'daemon off;'
