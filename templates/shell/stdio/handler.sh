#!/bin/sh
# One request: its body comes on standard input, what is printed is the answer.
tr '[:lower:]' '[:upper:]'
