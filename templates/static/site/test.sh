#!/bin/sh
# Every file that a page names is there.
set -e
for file in $(sed -n 's/.*\(href\|src\)="\([^":#]*\)".*/\2/p' ./*.html); do
  [ -f "$file" ] || { echo "missing: $file"; exit 1; }
done
echo passed
