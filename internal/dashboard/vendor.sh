#!/usr/bin/env bash
# Copies what the page takes from npm to assets/vendor: the versions of package-lock.json, which npm verifies by its
# checksums. Run by `make vendor-page`; needs npm.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json "$work"
npm ci --prefix "$work" --ignore-scripts --omit=dev --no-audit --no-fund --no-progress >/dev/null
from=$work/node_modules to=assets/vendor
mkdir -p "$to"
cp "$from/preact/dist/preact.mjs" "$to/preact.mjs"
cp "$from/preact/hooks/dist/hooks.mjs" "$to/preact-hooks.mjs"
cp "$from/htm/dist/htm.module.js" "$to/htm.mjs"
cp "$from/uplot/dist/uPlot.esm.js" "$to/uplot.mjs"
cp "$from/uplot/dist/uPlot.min.css" "$to/uplot.css"
for name in preact htm uplot; do cp "$from/$name/LICENSE" "$to/$name.LICENSE"; done
{
	echo 'What the page takes from npm, unchanged. `make vendor-page` writes this folder; package.json of the dashboard has the versions.'
	echo
	echo '| package | version | licence | files |'
	echo '| --- | --- | --- | --- |'
	for name in preact htm uplot; do
		node -e 'const p = require(process.argv[1]); console.log(`| ${p.name} | ${p.version} | ${p.license} | ${process.argv.slice(2).join(", ")} |`)' \
			"$from/$name/package.json" $(cd "$to" && ls "$name"*)
	done
} >"$to/README.md"
(cd "$to" && rm -f SHA256SUMS && sha256sum -- * >"$work/SHA256SUMS" && cp "$work/SHA256SUMS" .)
