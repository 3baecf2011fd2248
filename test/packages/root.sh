# Starts systemd in a root directory of its own, on the machine's files, which it cannot change: the
# process is alone in its namespaces already. $1 is an empty directory, $2 one with packages.
set -e
mount --make-rprivate /
mount -t tmpfs none "$1"
cd "$1"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
cd root
cp "$2"/* root/
printf 'no-triggers\nforce-unsafe-io\n' >etc/dpkg/dpkg.cfg.d/test # else the index of all manuals is written each time
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t tmpfs none run
mount -t tmpfs none tmp
mount -t sysfs sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount --rbind /dev dev
ip link set lo up
# Nothing of the machine is started but what the test asks for.
for target in sysinit basic; do printf '[Unit]\nDefaultDependencies=no\n' >etc/systemd/system/$target.target; done
printf '[Unit]\nDefaultDependencies=no\nWants=dbus.socket\n' >etc/systemd/system/test.target
mkdir old
pivot_root . old
umount -l old
rmdir old
unset NOTIFY_SOCKET
export container=test
exec /lib/systemd/systemd --system --unit=test.target --log-target=console --show-status=0
