#!/bin/sh
set -e
[ "$(echo hello | ./handler.sh)" = HELLO ]
echo passed
