#!/bin/sh
# deb calls it with `configure` and the version that was there before; rpm with the number of
# versions that are there. A service that does not start, with its port in use say, is no reason to
# leave the package half installed.
set -e
test -d /run/systemd/system || exit 0
systemctl daemon-reload
case "$1:$2" in
configure: | 1:)
	# Whether a new service starts by itself is the distribution's to say: it does on Debian.
	systemctl preset otelcol-isbl.service
	if systemctl is-enabled --quiet otelcol-isbl.service; then systemctl start otelcol-isbl.service || true; fi
	;;
*) systemctl try-restart otelcol-isbl.service || true ;;
esac
