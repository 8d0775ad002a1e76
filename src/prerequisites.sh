# Sourced by the scripts at the root: sees to the .NET SDK and PostgreSQL, installs PostgreSQL where it can, and says what it could not.

if ! command -v dotnet > /dev/null || ! dotnet --list-sdks | grep -q '^10\.'; then
  echo "Missing: the .NET 10 SDK. Install it from https://dot.net/download and try again." >&2
  exit 1
fi

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || command -v initdb > /dev/null; }

install_postgres() {
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
  command -v apt-get > /dev/null && "${as_root[@]}" true 2> /dev/null || return 1
  echo "Installing PostgreSQL from the distribution's package ..." >&2
  # The package would otherwise make and start a cluster of its own, which nobody here asked for.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf > /dev/null
  fi
  "${as_root[@]}" apt-get update -qq > /dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql > /dev/null 2>&1
}

if [ -z "${ConnectionStrings__ErrorTracker:-}" ] && ! has_postgres && ! { install_postgres && has_postgres; }; then
  echo "Missing: PostgreSQL, which could not be installed here. Install its server package, or set ConnectionStrings__ErrorTracker to a server of yours." >&2
  exit 1
fi
