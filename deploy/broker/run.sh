#!/bin/sh
# Runs mosquitto, and has it read its accounts again within a second after they have changed.
#   run.sh CONFIGURATION ACCOUNTS
set -eu
configuration=$1
accounts=$2

until [ -s "$accounts" ]; do sleep 1; done
known=$(cksum < "$accounts")
mosquitto -c "$configuration" &
broker=$!
trap 'kill -TERM $broker' TERM INT

while kill -0 $broker 2>/dev/null; do
    sleep 1 &
    wait $! || true # a signal ends this wait at once
    now=$(cksum < "$accounts")
    if [ "$now" != "$known" ]; then
        known=$now
        kill -HUP $broker
    fi
done
wait $broker
