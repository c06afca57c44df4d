#!/bin/sh
# No test library: assertions are the JDK's own.
set -e
javac -d target/test src/main/java/Hello.java src/test/java/HelloTest.java
java -ea -cp target/test HelloTest
echo passed
