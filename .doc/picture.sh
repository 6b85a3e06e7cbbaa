#!/bin/sh
# Makes the README's picture out of the running demo and the tray on a real panel. Needs what .ci/test installs. Run: sh .doc/picture.sh
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go run ./cmd/bench/shots "$dir" en light
ZASEKI_SHOTS="$dir" CI=true go test -count=1 -run RealPanel ./tray
convert "$dir"/tray-menu.png -gravity NorthEast -crop 230x148+0+0 +repage -bordercolor '#d5dae3' -border 1 "$dir/tray.png"
convert "$dir"/en-light-*-seats.png -resize 62% -bordercolor '#d5dae3' -border 1 "$dir/seats.png"
convert "$dir"/en-light-*-ringing.png -resize 62% -bordercolor '#d5dae3' -border 1 "$dir/ringing.png"
convert "$dir"/en-light-*-talking.png -resize 62% -bordercolor '#d5dae3' -border 1 "$dir/talking.png"
convert "$dir/seats.png" "$dir/tray.png" -background white -gravity east -append "$dir/right.png"
convert "$dir/ringing.png" "$dir/talking.png" "$dir/right.png" -background white -gravity north +append +dither -colors 160 PNG8:.doc/zaseki.png
ls -l .doc/zaseki.png
