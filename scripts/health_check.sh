#!/usr/bin/env bash
# Is everything at work? The API, its stores, the consumers of each queue, beat, and room in Redis; with
# --probe also a document all the way through. Exit code 0: yes. 1: something is not. 2: it cannot ask.
# What the engine says of containers goes to standard error, so --json writes one document to standard output.
# Where docker compose runs the fleet it asks from within; elsewhere the command `ragfleet` asks from here.
# usage: scripts/health_check.sh [--probe] [--json] [--url ADDRESS]
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

# More files of compose, such as COMPOSE_FILE=docker-compose.yml:docker-compose.aws.yml, are named in .env.
in_compose() {
    # No `| grep -q`: it ends at the first line, and the pipe counts as failed if more were coming.
    command -v docker > /dev/null && [ -n "$(docker compose ps --quiet 2> /dev/null)" ]
}

if in_compose; then
    wrong=0
    # What the engine thinks of each container, which also sees those that restart again and again, and
    # those that were stopped. Only init ends when it is done.
    while read -r service state code health; do
        case "$service/$state/$health/$code" in
            */running//* | */running/healthy/* | init/exited//0) ;;
            */running/starting/*) echo "starting  $service" >&2 ;;
            *) echo "error     $service: ${state}${health:+, $health}" >&2; wrong=1 ;;
        esac
    done < <(docker compose ps --all --format '{{.Service}} {{.State}} {{.ExitCode}} {{.Health}}')
    docker compose run --rm --no-deps -T ragfleet health "$@" < /dev/null
    asked=$?
    # What is above 2 is of Docker: nothing was asked.
    if [ "$asked" -gt 2 ]; then asked=2; fi
    exit "$((asked > wrong ? asked : wrong))"
fi

for command in .venv/bin/ragfleet ragfleet; do
    if command -v "$command" > /dev/null; then exec "$command" health "$@"; fi
done
echo "Neither a running docker compose nor the command ragfleet is here; start one (docs/compose.md)." >&2
exit 2
