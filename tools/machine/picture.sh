# What a machine is, as sorted lines, so that two moments can be compared. Run as root inside it. Each line begins with its
# kind. What changes by itself on any running machine is left out in compare.ts, each with its reason.
set -e
export LC_ALL=C
# A machine that is busy may not answer at once, and half a picture is none.
units() {
  for i in 1 2 3 4 5; do
    said=$(systemctl --no-legend --no-pager --plain "$@") && [ -n "$said" ] && echo "$said" && return
    sleep 2
  done
  echo "systemctl $1 does not answer" >&2
  kill $$
}
tell() { sed "s/^/$1 /"; }
dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\n' | tell package
apt-mark showmanual | tell manual
units list-unit-files | awk '{ print $1, $2 }' | tell unit
units list-units --type=service,socket,timer --state=active | awk '{ print $1 }' | tell active
sysctl -a 2>/dev/null | tell sysctl
{ nft -s list ruleset 2>/dev/null || iptables-save | grep -v '^[#:]'; } | tell firewall
ufw status verbose | tell ufw
ip -o link | awk '{ print $2 }' | tell link
ip route | tell route
ip netns list | tell namespace
getent passwd | tell user
getent group | tell group
awk '{ print $2, $3 }' /proc/mounts | tell mount
losetup -a | tell loop
find /sys/fs/cgroup -maxdepth 1 -mindepth 1 -type d | tell cgroup
ls /run | tell run
find /etc /opt /srv /usr/local /usr/sbin/policy-rc.d /var/lib /root /home -xdev \
  \( -path /var/lib/dpkg -o -path /var/lib/apt \) -prune -o -printf '%y %m %u:%g %p %l\n' 2>/dev/null | tell file
find /etc /opt /srv /usr/local -xdev -type f -exec sha256sum {} + | awk '{ print $2, $1 }' | tell content
