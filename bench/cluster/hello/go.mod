module ebb.dev/bench/hello

go 1.21
