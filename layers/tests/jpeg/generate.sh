#!/usr/bin/env bash
# Writes the files of this folder with libjpeg-turbo's cjpeg, djpeg and jpegtran: small JPEG files, and
# their pixels. Their photo is ../images/photo.png, and CMYK is ../images/encoded/cmyk.jpg.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 - "$scratch/photo.ppm" <<'PYTHON'
import sys
from PIL import Image
Image.open("../images/photo.png").crop((20, 14, 39, 35)).save(sys.argv[1])
PYTHON
printf '0;\n1;\n2;\n' >"$scratch/apart"
printf '0;\n1 2;\n' >"$scratch/mixed"
printf '0;\n1;\n2;\n3;\n' >"$scratch/apart4"
printf '0 1 2: 0 0 0 1;\n0: 1 63 0 2;\n1: 1 63 0 0;\n2: 1 63 0 0;\n0: 1 63 2 1;\n0 1 2: 0 0 1 0;\n0: 1 63 1 0;\n' \
    >"$scratch/progressive"
encode() {
    local name=$1
    shift
    cjpeg -quality 80 "$@" -outfile "$name.jpg" "$scratch/photo.ppm"
}
encode apart-420 -sample 2x2 -scans "$scratch/apart"
encode apart-444 -sample 1x1 -scans "$scratch/apart" -restart 2B
encode mixed-411 -sample 4x1 -scans "$scratch/mixed"
encode progressive-440 -sample 1x2 -scans "$scratch/progressive"
encode progressive-422 -sample 2x1 -progressive -restart 1
encode restart-420 -sample 2x2 -restart 1B
encode factors -sample 2x2,1x2,2x1
encode thirds -sample 3x1
encode rgb -rgb
encode grey -grayscale -sample 2x2
jpegtran -scans "$scratch/apart4" -outfile cmyk-apart.jpg ../images/encoded/cmyk.jpg
# The transform in Adobe's segment is 2: YCCK.
python3 - <<'PYTHON'
from pathlib import Path
cmyk = Path("../images/encoded/cmyk.jpg").read_bytes()
transform = cmyk.index(b"Adobe") + 11
Path("ycck.jpg").write_bytes(cmyk[:transform] + b"\2" + cmyk[transform + 1 :])
PYTHON
for name in *.jpg; do
    [[ $name != arithmetic* ]] || continue
    djpeg -outfile "${name%.jpg}.ppm" "$name"
done
for name in arithmetic arithmetic-progressive; do
    options=(-arithmetic)
    [ "$name" = arithmetic ] || options+=(-progressive)
    encode "$name" "${options[@]}"
done
