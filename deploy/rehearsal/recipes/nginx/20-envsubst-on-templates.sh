#!/bin/sh
# /etc/nginx/templates/*.template become /etc/nginx/conf.d/*, with the variables of the environment
# (those that NGINX_ENVSUBST_FILTER names, if it is set) put in.
set -e
[ -d /etc/nginx/templates ] || exit 0
names=$(awk 'END { for (name in ENVIRON) if (name ~ ENVIRON["NGINX_ENVSUBST_FILTER"]) printf "${%s} ", name }' </dev/null)
for template in /etc/nginx/templates/*.template; do
    [ -e "$template" ] || continue
    made="/etc/nginx/conf.d/$(basename "$template" .template)"
    [ -w /etc/nginx/conf.d ] || { echo "$0: ERROR: /etc/nginx/conf.d is not writable" >&2; exit 0; }
    envsubst "$names" <"$template" >"$made"
done
