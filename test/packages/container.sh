# Runs the image's program as a container does: as user 10001 on a root that cannot be written, with
# no capabilities, and a volume for the data. $1 is what goes into the image, $2 an empty directory.
set -e
mount --make-rprivate /
mount --bind "$1" "$2"
mount -o remount,bind,ro "$2"
mount -t tmpfs -o uid=10001,gid=10001,mode=0750 none "$2/var/lib/isbl"
mount -t proc proc "$2/proc"
ip link set lo up
export ISBL_DATA=/var/lib/isbl ISBL_LISTEN=0.0.0.0
exec setpriv --no-new-privs chroot --userspec=10001:10001 --groups= "$2" /usr/bin/otelcol-isbl --insecure
