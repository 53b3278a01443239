/*
 * Nested functions called by address: gcc writes code for each into the frame of the function around it, at other addresses
 * and with other constants as the stack goes up and down.
 */
#include <stdio.h>

typedef int function(int);

static int (*volatile calls)(function *, int);

static int call(function *f, int x) {
  return f(x);
}

static int sum(int depth, function *outer) {
  int here = depth;
  int add(int x) {
    return x + here++;
  }
  if (depth == 0)
    return calls(add, 1) + calls(outer, 2);
  return sum(depth - 1, depth % 2 == 0 ? add : outer) + calls(add, depth) + here;
}

static int leave(int x) {
  __label__ out;
  void away(void) {
    goto out;
  }
  void (*volatile go)(void) = away;
  if (x > 0)
    go();
  return 0;
out:
  return 7;
}

int main(void) {
  int total = 0;
  int count(int x) {
    return total += x;
  }
  calls = call;
  for (int round = 0; round < 40; round++)
    printf("%d ", sum(round, count));
  printf("\n%d %d %d\n", total, leave(0), leave(1));
  return 0;
}
