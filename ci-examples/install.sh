#!/bin/sh
# Installs one version of jobpass for the steps of a CI job, without root. Nothing is left half written; a jobpass of that version
# that is there already is taken as it is. The last line of standard output is its folder, the rest goes to standard error:
#
#   PATH="$(sh install.sh):$PATH"      # where the platform has no PATH for later steps
#
# JOBPASS_MIRROR       where the release's files lie beside each other: https://…, http://… or a folder; no default.
#                      It may hold a user and a password; they are not shown, and are on no command line
# JOBPASS_VERSION      the version; this script's own, if not set
# JOBPASS_SHA256       the checksum of the archive; if not set, that in the mirror's SHA256SUMS, by https or from a folder only
# JOBPASS_INSTALL_DIR  the folder; if not set, one in the runner's tool cache (RUNNER_TOOL_CACHE, AGENT_TOOLSDIRECTORY),
#                      else ~/.local/bin
# HTTPS_PROXY, ALL_PROXY, NO_PROXY (or in lower case) and SSL_CERT_FILE count, with curl as with wget.
#
# Exit codes: 0 done, 2 a variable is missing or wrong or there is no build for this machine, 4 wrong checksum, 5 network,
# 6 files or a missing program.
set -eu

OWN_VERSION=0.1.0

fail() { # CODE MESSAGE [HINT]
  printf 'error: %s\n' "$2" >&2
  [ -z "${3:-}" ] || printf 'hint: %s\n' "$3" >&2
  exit "$1"
}

have() { command -v "$1" >/dev/null 2>&1; }

main() {
  work='' child=''
  trap clean EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM

  version=${JOBPASS_VERSION:-$OWN_VERSION}
  version=${version#v}
  case $version in
  [0-9]*) ;;
  *) fail 2 'JOBPASS_VERSION is not a version' "set it to one such as $OWN_VERSION" ;;
  esac
  case $version in
  *[!0-9A-Za-z.+-]*) fail 2 'JOBPASS_VERSION is not a version' "set it to one such as $OWN_VERSION" ;;
  esac
  machine=$(machine)
  folder=$(folder)
  if is_installed "$folder/jobpass"; then
    echo "jobpass $version is in $folder already" >&2
  else
    install
    echo "jobpass $version is installed in $folder" >&2
  fi
  [ -z "$(cache)" ] || [ -n "${JOBPASS_INSTALL_DIR:-}" ] || : >"$folder.complete"
  put_on_path
  printf '%s\n' "$folder"
}

clean() {
  [ -z "$child" ] || kill "$child" 2>/dev/null || :
  [ -z "$work" ] || rm -rf "$work"
}

# As in the names of archives.
machine() {
  system=$(uname -s)
  [ "$system" = Linux ] || fail 2 "there is no build of jobpass for $system" 'build it from source: cargo build --release'
  case $(uname -m) in
  x86_64 | amd64) echo x86_64-linux ;;
  aarch64 | arm64) echo aarch64-linux ;;
  *) fail 2 "there is no build of jobpass for $(uname -m)" 'build it from source: cargo build --release' ;;
  esac
}

# Where runners keep tools over jobs.
cache() { printf '%s' "${RUNNER_TOOL_CACHE:-${AGENT_TOOLSDIRECTORY:-}}"; }

folder() {
  if [ -n "${JOBPASS_INSTALL_DIR:-}" ]; then
    found=$JOBPASS_INSTALL_DIR
  elif [ -n "$(cache)" ]; then
    # As actions/toolkit and azure-pipelines-tool-lib lay it out: TOOL/VERSION/ARCHITECTURE, and a file that ends with .complete.
    architecture=x64
    [ "$machine" = x86_64-linux ] || architecture=arm64
    found=$(cache)/jobpass/$version/$architecture
  elif [ -n "${HOME:-}" ]; then
    found=$HOME/.local/bin
  else
    fail 2 'HOME is not set' 'set JOBPASS_INSTALL_DIR to the folder for jobpass'
  fi
  case $found in
  *:* | *'
'*) fail 2 'the folder for jobpass has a colon or a newline, so PATH cannot hold it' 'set JOBPASS_INSTALL_DIR to another one' ;;
  /*) ;;
  *) found=$PWD/$found ;;
  esac
  printf '%s' "${found%/}"
}

# It runs, and is of that version.
is_installed() { [ -f "$1" ] && [ -x "$1" ] && [ "$("$1" --version 2>/dev/null || :)" = "jobpass $version" ]; }

install() {
  mirror=${JOBPASS_MIRROR:-}
  mirror=${mirror%/}
  case $mirror in
  '') fail 2 'JOBPASS_MIRROR is not set' "set it to the address of the folder that holds the files of release $version" ;;
  *[!!-~]* | *\"* | *\\*) fail 2 'JOBPASS_MIRROR has characters that are not of an address' ;;
  https://?* | http://?* | /*) ;;
  *) fail 2 'JOBPASS_MIRROR is neither an address (https://…) nor the path of a folder (/…)' ;;
  esac
  name=jobpass-$version-$machine
  archive=$name.tar.gz
  choose_client
  wanted=$(printf '%s' "${JOBPASS_SHA256:-}" | tr 'A-F' 'a-f')
  case $wanted in
  *[!0-9a-f]*) fail 2 'JOBPASS_SHA256 is not a SHA-256 checksum' 'set it to 64 hexadecimal digits' ;;
  esac
  [ "${#wanted}" = 64 ] || [ -z "$wanted" ] || fail 2 'JOBPASS_SHA256 is not a SHA-256 checksum' 'set it to 64 hexadecimal digits'

  if ! mkdir -p "$folder" 2>/dev/null || [ ! -w "$folder" ]; then
    fail 6 "could not write to $folder" 'set JOBPASS_INSTALL_DIR to a folder of your own'
  fi
  [ ! -d "$folder/jobpass" ] || fail 6 "$folder/jobpass is a folder" 'set JOBPASS_INSTALL_DIR to another one'
  # Beside the place, so that the last step is a rename.
  work=$(mktemp -d "$folder/.jobpass-XXXXXX") || fail 6 "could not write to $folder"

  from='JOBPASS_SHA256'
  if [ -z "$wanted" ]; then
    from="the mirror's SHA256SUMS"
    fetch SHA256SUMS strict
    while read -r sum file; do
      file=${file#\*}
      [ "${file#./}" != "$archive" ] || wanted=$sum
    done <"$work/SHA256SUMS"
    [ -n "$wanted" ] || fail 4 "the mirror's SHA256SUMS does not name $archive$(page SHA256SUMS)" 'set JOBPASS_SHA256'
  fi
  fetch "$archive" ''
  sum=$(checksum "$work/$archive")
  [ "$sum" = "$wanted" ] ||
    fail 4 "the checksum of $archive is $sum, but $from says $wanted$(page "$archive")" 'do not use this file; ask who runs the mirror'

  tar -xzf "$work/$archive" -C "$work" "$name/jobpass" || fail 6 "could not unpack $archive"
  if [ ! -f "$work/$name/jobpass" ] || [ -L "$work/$name/jobpass" ]; then
    fail 6 "$archive has no program jobpass"
  fi
  chmod 755 "$work/$name/jobpass"
  is_installed "$work/$name/jobpass" ||
    fail 6 "jobpass of $archive does not run in $folder, or is not version $version" 'choose a folder that is not mounted noexec with JOBPASS_INSTALL_DIR'
  mv -f "$work/$name/jobpass" "$folder/jobpass" || fail 6 "could not write $folder/jobpass"
  rm -rf "$work"
  work=''
}

choose_client() {
  case $mirror in /*)
    client=copy
    return
    ;;
  esac
  if have curl; then
    client=curl
  elif have wget && wget --version 2>/dev/null | grep -q 'GNU Wget'; then
    client=wget
  elif have wget; then
    client=basic
  else
    fail 6 'neither curl nor wget is in PATH' 'install one of them, or set JOBPASS_MIRROR to a folder'
  fi
  case $client,$mirror in basic,*@*) fail 2 'this wget would show the password of JOBPASS_MIRROR on its command line' 'install curl' ;; esac
  [ -z "${JOBPASS_SHA256:-}" ] || return 0
  # A list of checksums that anyone on the way could have written proves nothing.
  case $client,$mirror in
  *,http://*) fail 2 'JOBPASS_SHA256 is not set, and the mirror is asked without TLS' 'set it, or use an https:// address' ;;
  basic,*) fail 2 'JOBPASS_SHA256 is not set, and this wget may not verify certificates' 'set it, or install curl' ;;
  esac
}

# Puts the mirror's file NAME into the working folder. `strict`: its content is believed, so it may not come from elsewhere.
fetch() { # NAME strict|''
  case $client in
  copy) cp "$mirror/$1" "$work/$1" 2>"$work/said" || fail 6 "could not copy $1 from JOBPASS_MIRROR: $(cat "$work/said")" ;;
  *)
    # In the background: a signal ends `wait`, but would not be seen while a program runs.
    with_"$client" "$1" "$2" 2>"$work/said" &
    child=$!
    code=0
    wait "$child" || code=$?
    child=''
    [ "$code" = 0 ] || fail 5 "could not fetch $1 from JOBPASS_MIRROR: $(cat "$work/said")" \
      "look at the address, at HTTPS_PROXY and NO_PROXY, and at SSL_CERT_FILE${2:+, or set JOBPASS_SHA256}"
    ;;
  esac
}

# The address goes over standard input: it may hold a password.
with_curl() {
  case $mirror in https:*) protocols='=https' ;; *) protocols='=http,https' ;; esac
  exec curl --config - --fail --silent --show-error --location --proto "$protocols" --proto-redir "$protocols" \
    --connect-timeout 20 --max-time 600 --retry 2 --output "$work/$1" <<END
url = "$mirror/$1"
END
}

# It reads the names of proxies in lower case only, follows redirects to http, and has its own way to name authorities.
with_wget() {
  https_proxy=${https_proxy:-${HTTPS_PROXY:-${all_proxy:-${ALL_PROXY:-}}}}
  no_proxy=${no_proxy:-${NO_PROXY:-}}
  export https_proxy no_proxy
  redirects=5
  [ -z "$2" ] || redirects=0
  set -- "$1" --max-redirect="$redirects"
  [ -z "${SSL_CERT_FILE:-}" ] || set -- "$@" --ca-certificate="$SSL_CERT_FILE"
  file=$1
  shift
  exec wget --no-verbose --tries=2 --waitretry=1 --timeout=30 --output-document="$work/$file" "$@" --input-file=- <<END
$mirror/$file
END
}

# BusyBox, whose own time limit makes some builds of it crash.
with_basic() {
  set -- wget -q -O "$work/$1" "$mirror/$1"
  ! have timeout || set -- timeout 600 "$@"
  exec "$@"
}

checksum() {
  if have sha256sum; then
    found=$(sha256sum <"$1")
  elif have shasum; then
    found=$(shasum -a 256 <"$1")
  elif have openssl; then
    found=$(openssl dgst -sha256 -r <"$1")
  else
    fail 6 'none of sha256sum, shasum and openssl is in PATH' 'install one of them'
  fi
  printf '%s' "${found%% *}"
}

# What to think of a file that is a page.
page() {
  case $(dd if="$work/$1" bs=1 count=1 2>/dev/null | tr -d '\000') in
  '<') printf '%s' ' (it is a page of HTML: look at the address, and whether something on the way wants a login)' ;;
  esac
}

# For later steps, in the platform's way.
put_on_path() {
  if [ -n "${GITHUB_PATH:-}" ]; then
    printf '%s\n' "$folder" >>"$GITHUB_PATH" || fail 6 "could not write to $GITHUB_PATH (GITHUB_PATH)"
  elif [ "${TF_BUILD:-}" = True ]; then
    printf '##vso[task.prependpath]%s\n' "$(printf '%s' "$folder" | sed 's/%/%AZP25/g')"
  elif [ "${CIRCLECI:-}" = true ] && [ -n "${BASH_ENV:-}" ]; then
    printf "export PATH='%s':\"\$PATH\"\n" "$(printf '%s' "$folder" | sed "s/'/'\\\\''/g")" >>"$BASH_ENV" ||
      fail 6 "could not write to $BASH_ENV (BASH_ENV)"
  elif [ "${BITRISE_IO:-}" = true ] && have envman; then
    envman add --key PATH --value "$folder:$PATH" >&2 || fail 6 'envman did not take PATH'
  else
    case :$PATH: in
    *:"$folder":*) ;;
    *) echo "hint: add it to PATH for the next commands: PATH=\"$folder:\$PATH\"" >&2 ;;
    esac
  fi
}

main
