#!/bin/bash
# A real TimescaleDB (PostgreSQL 17, Apache edition) from Debian packages alone, in a folder of its own. As root.
#
#   deploy/ci/timescaledb.sh start DIR PORT    prints the URL of a superuser
#   deploy/ci/timescaledb.sh stop DIR
set -euo pipefail

bin=/usr/lib/postgresql/17/bin
folder=$2
root=$folder/root
nobody=65534
inside() { chroot --userspec=$nobody:$nobody "$root" "$@"; }

start() {
    local port=$1
    mkdir -p "$folder"
    if [ ! -x "$root$bin/postgres" ]; then
        mmdebstrap --quiet --variant=extract --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
            --include=postgresql-17-timescaledb,dash,libc-bin trixie "$root" >&2
        [ -e "$root/usr/bin/sh" ] || ln -s dash "$root/usr/bin/sh"
        mkdir -p "$root/dev/shm" "$root/data" "$root/tmp"
        chmod 1777 "$root/dev/shm" "$root/tmp"
        for device in null:3 urandom:9; do
            [ -e "$root/dev/${device%:*}" ] || mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
        done
        echo "nobody:x:$nobody:$nobody:nobody:/tmp:/usr/sbin/nologin" > "$root/etc/passwd"
        chown $nobody:$nobody "$root/data"
    fi
    if [ ! -e "$root/data/PG_VERSION" ]; then
        head -c 18 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n' > "$root/tmp/password"
        chmod 644 "$root/tmp/password"
        inside $bin/initdb -D /data -U yiju --auth=scram-sha-256 --pwfile=/tmp/password \
            --locale=C.UTF-8 --encoding=UTF8 >&2
    fi
    # durability is off: this server holds nothing but tests
    inside $bin/pg_ctl -D /data -w -t 60 -l /tmp/log start -o "-c port=$port -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c shared_preload_libraries=timescaledb -c timescaledb.telemetry_level=off \
        -c timescaledb.max_background_workers=16 -c max_worker_processes=32 -c max_connections=200 \
        -c fsync=off -c synchronous_commit=off -c full_page_writes=off" >&2 || { cat "$root/tmp/log" >&2; exit 1; }
    echo "postgresql://yiju:$(cat "$root/tmp/password")@127.0.0.1:$port/postgres"
}

stop() { inside $bin/pg_ctl -D /data -w -m fast stop >&2; }

case $1 in
    start) start "$3" ;;
    stop) stop ;;
    *) sed -n '2,6p' "$0" >&2; exit 2 ;;
esac
