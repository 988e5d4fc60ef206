#!/bin/sh
# Installs a release of Polebean: checks its sum, unpacks it beside other versions, links it. Run again, it changes nothing.
#   sudo sh install.sh [--prefix /opt/polebean] [--bin /usr/local/bin] polebean-VERSION-linux-ARCH.tar.gz
# The file's sum is read from FILE.sha256 beside it. Each change is noted in the ledger before it is made.
set -eu; umask 022
prefix=/opt/polebean
bin=/usr/local/bin file=
ledger=${POLEBEAN_LEDGER:-/var/lib/polebean-setup/ledger.jsonl}

fail() { echo "polebean: $*" >&2; exit 1; }
note() {
  mkdir -p "$(dirname "$ledger")"
  printf '{"at":"%s",%s}\n' "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" "$1" >>"$ledger"
}
link() { # FROM TO
  [ "$(readlink "$1")" = "$2" ] && return
  note "\"deed\":\"make link\",\"path\":\"$1\",\"to\":\"$2\""
  ln -s "$2" "$1"
}

while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=${2:?--prefix needs a folder}; shift 2 ;;
    --bin) bin=${2:?--bin needs a folder}; shift 2 ;;
    -*) fail "unknown option $1; see the top of this file" ;;
    *) file=$1; shift ;;
  esac
done
case "$prefix$bin" in *[!A-Za-z0-9/._-]*) fail "folders may be named with letters, digits and . _ - only" ;; esac
case "$prefix:$bin" in /*:/*) ;; *) fail "name folders by their whole path" ;; esac
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) fail "Polebean runs on x86_64 and arm64 only" ;; esac
[ -n "$file" ] || fail "name the release: sh install.sh polebean-VERSION-linux-$arch.tar.gz"
name=$(basename "$file")
version=${name#polebean-}; version=${version%-linux-"$arch".tar.gz}
[ "$name" = "polebean-$version-linux-$arch.tar.gz" ] || fail "$name is no release for this machine (linux-$arch)"
case $version in *[0-9].[0-9]*.[0-9]*) ;; *) fail "$name names no version" ;; esac
case $version in *[!0-9.]*) fail "$name names no version" ;; esac
[ "$(id -u)" = 0 ] || fail "this needs root; run it with sudo"
now=$(readlink "$prefix/current" || :)
case $now in '' | "$version") ;; *) fail "$now is installed; from there: polebean upgrade $file" ;; esac
[ -f "$file.sha256" ] || fail "$file.sha256 is missing: the sum of the file"
if [ -e "$bin/polebean" ] || [ -L "$bin/polebean" ]; then
  [ "$(readlink "$bin/polebean")" = "$prefix/current/bin/polebean" ] || fail "$bin/polebean is not of this installation; move it away first"
fi

[ "$(sha256sum <"$file" | cut -d' ' -f1)" = "$(cut -d' ' -f1 "$file.sha256")" ] || fail "$file is damaged: its sum is not that of $name.sha256"
if [ ! -e "$prefix/$version" ]; then
  new=$prefix/.new-$version
  for made in "$prefix" "$prefix/$version"; do [ -d "$made" ] || note "\"deed\":\"make folder\",\"path\":\"$made\""; done
  rm -rf "$new"
  mkdir -p "$prefix" "$bin" "$new"
  { tar --warning=no-timestamp -xzf "$file" -C "$new" --strip-components=1 --no-same-owner && "$new/bin/polebean" --version; } ||
    { rm -rf "$new"; fail "nothing was installed. If Node lacks a library: apt-get install libatomic1 libstdc++6"; }
  sync -f "$new"
  mv "$new" "$prefix/$version"
fi
link "$prefix/current" "$version"
link "$bin/polebean" "$prefix/current/bin/polebean"
echo "Installed. Next: polebean setup (brings the engines from Debian's packages), then polebean up DIR."
