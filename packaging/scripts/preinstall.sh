#!/bin/sh
# Makes the user before its files come: deb and rpm, first installation and upgrade.
set -e
getent group isbl >/dev/null || groupadd --system isbl
getent passwd isbl >/dev/null ||
	useradd --system --gid isbl --home-dir /var/lib/isbl --no-create-home --shell /usr/sbin/nologin --comment 'ISBL Telemetry' isbl
