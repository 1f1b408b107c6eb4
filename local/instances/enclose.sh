#!/bin/sh
# Puts a box's root together and enters it. Runs as root of new mount, PID and UTS namespaces.
# usage: enclose.sh <instance folder> <pip cache> <visible paths, one a line> <program> [argument ...]
set -eu
PATH=$PATH:/usr/sbin:/sbin

folder=$1
pip_cache=$2
visible=$3
shift 3
root=$folder/root
disk=$folder/disk
work=$folder/work

mount --make-rprivate /
mkdir -p "$root"

# Other folders of this computer are seen, not changed. First: they may hold the box's own folder.
for entry in /*; do
    case $entry in
        /bin | /sbin | /lib | /lib32 | /lib64 | /libx32 | /usr | /etc | /opt | /var | /srv | /home) ;;
        /proc | /sys | /dev | /run | /tmp | /root | /lost+found) ;;
        *)
            if [ -d "$entry" ] && [ ! -L "$entry" ]; then
                mkdir -p "$root$entry"
                mount --rbind "$entry" "$root$entry"
                mount -o remount,bind,ro "$root$entry" 2>/dev/null || true
            fi
            ;;
    esac
done

# The system's folders are this computer's below, the box's disk above: it writes to its disk only.
for entry in bin sbin lib lib32 lib64 libx32 usr etc opt var srv home; do
    if [ -L "/$entry" ]; then
        ln -sfn "$(readlink "/$entry")" "$root/$entry"
    elif [ -d "/$entry" ]; then
        mkdir -p "$root/$entry" "$disk/$entry" "$work/$entry"
        mount -t overlay overlay "$root/$entry" \
            -o "userxattr,lowerdir=/$entry,upperdir=$disk/$entry,workdir=$work/$entry"
    fi
done

for entry in run tmp root; do
    mkdir -p "$root/$entry"
    mount --bind "$disk/$entry" "$root/$entry"
done

mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/var/cache/pip"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
mount --bind "$pip_cache" "$root/var/cache/pip"

echo "$visible" | while IFS= read -r path; do
    if [ -n "$path" ] && [ ! "$path" -ef "$root$path" ]; then
        mkdir -p "$root$path"
        mount --rbind "$path" "$root$path"
        mount -o remount,bind,ro "$root$path" 2>/dev/null || true
    fi
done

cd "$root"
exec chroot . "$@"
