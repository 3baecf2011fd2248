#!/bin/sh
# deb calls it with `remove`, rpm with 0, unless another version takes the place.
set -e
test -d /run/systemd/system || exit 0
case "$1" in
remove | 0) systemctl disable --now otelcol-isbl.service ;;
esac
