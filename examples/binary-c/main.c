/* Counts the bytes and lines of the request on standard input; compiled to one static program. */
#include <stdio.h>

int main(void) {
  long bytes = 0, lines = 0;
  for (int c; (c = getchar()) != EOF; bytes++)
    if (c == '\n') lines++;
  printf("%ld bytes, %ld lines\n", bytes, lines);
  return 0;
}
