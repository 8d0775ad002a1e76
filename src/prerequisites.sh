# Sourced by the scripts at the root: sees to the .NET SDK and PostgreSQL, installs PostgreSQL where it can, and says
# what it could not. The tests ask for more.

if ! command -v dotnet > /dev/null || ! dotnet --list-sdks | grep -q '^10\.'; then
  echo "Missing: the .NET 10 SDK. Install it from https://dot.net/download and try again." >&2
  exit 1
fi

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || command -v initdb > /dev/null; }

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo -n)

# install_packages NAME PACKAGE...: from the distribution.
install_packages() {
  command -v apt-get > /dev/null && "${as_root[@]}" true 2> /dev/null || return 1
  echo "Installing $1 from the distribution's package ..." >&2
  "${as_root[@]}" apt-get update -qq > /dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${@:2}" > /dev/null 2>&1
}

install_postgres() {
  # The package would otherwise make and start a cluster of its own, which nobody here asked for.
  if [ ! -e /etc/postgresql-common/createcluster.conf ] && "${as_root[@]}" true 2> /dev/null; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf > /dev/null
  fi
  install_packages PostgreSQL postgresql
}

# For the tests with Sentry's SDK for Node.js; without it they are left out.
see_to_node() {
  command -v node > /dev/null && command -v npm > /dev/null && return
  install_packages Node.js nodejs npm && command -v npm > /dev/null && return
  echo "Missing: Node.js and npm, which could not be installed here. The tests with @sentry/node are left out." >&2
}

has_nginx() { command -v nginx > /dev/null || [ -x /usr/sbin/nginx ]; }

# For the test through a reverse proxy; without it that one is left out. The package's own server, on port 80, is
# neither started nor enabled.
see_to_nginx() {
  has_nginx && return
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e "$policy" ] && "${as_root[@]}" true 2> /dev/null; then
    made=yes
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" > /dev/null && "${as_root[@]}" chmod +x "$policy"
  fi
  install_packages nginx nginx
  [ -z "$made" ] || "${as_root[@]}" rm -f "$policy"
  [ ! -d /run/systemd/system ] || "${as_root[@]}" systemctl disable --quiet nginx 2> /dev/null
  has_nginx || echo "Missing: nginx, which could not be installed here. The test through it is left out." >&2
}

# For the test in a browser, which fails without one.
see_to_browser() {
  command -v chromium > /dev/null || install_packages Chromium chromium ||
    echo "Missing: Chromium, which could not be installed here. Install it as chromium and try again." >&2
  export ERRORTRACKER_TEST_BROWSER=chromium
}

if [ -z "${ConnectionStrings__ErrorTracker:-}" ] && ! has_postgres && ! { install_postgres && has_postgres; }; then
  echo "Missing: PostgreSQL, which could not be installed here. Install its server package, or set" \
    "ConnectionStrings__ErrorTracker to a server of yours." >&2
  exit 1
fi
