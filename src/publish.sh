#!/usr/bin/env bash
# Publishes ErrorTracker to the folder $1 with its endpoints' code generated and compiled in: it then starts in half the
# time and needs half the memory, for want of a compiler. Does nothing if the folder is newer than the sources.
set -euo pipefail
out="$1"
cd "$(dirname "${BASH_SOURCE[0]}")/ErrorTracker"
stamp="$out/published"
newer_sources() {
  find .. -newer "$stamp" -type f \( -path '../ErrorTracker/*' -o -path '../Directory.*' \) \
    -not -path '*/obj/*' -not -path '*/bin/*' -print -quit
}
[ -e "$stamp" ] && [ -z "$(newer_sources)" ] && exit 0
rm -rf obj/Generated "$out"
# What an advisory or an analyzer of tomorrow finds must not keep this version from starting: ./test fails on it.
dotnet build -c Release --nologo -v quiet -clp:ErrorsOnly -p:NuGetAudit=false -p:RunAnalyzers=false
dotnet bin/Release/net10.0/ErrorTracker.dll codegen write > obj/codegen.log || { cat obj/codegen.log >&2; exit 1; }
dotnet publish -c Release --no-restore --nologo -v quiet -clp:ErrorsOnly -o "$out" \
  -p:Pregenerated=true -p:UseAppHost=false -p:RunAnalyzers=false
touch "$stamp"
