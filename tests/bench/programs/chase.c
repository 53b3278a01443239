/* Follows the pointers of a list whose nodes lie in random order in one MiB. */
#include "bench.h"

#define NODES 65536

struct node {
  struct node *next;
  uint32_t value;
};

static struct node nodes[NODES];
static uint32_t order[NODES];

void prepare(void) {
  for (uint32_t i = 0; i < NODES; i++)
    order[i] = i;
  for (uint32_t i = NODES - 1; i > 0; i--) {
    uint32_t j = next_random() % (i + 1), kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  for (uint32_t i = 0; i < NODES; i++)
    nodes[order[i]] = (struct node){&nodes[order[(i + 1) % NODES]], next_random()};
}

uint64_t work(unsigned rounds) {
  const struct node *node = &nodes[order[0]];
  uint32_t sum = 0;
  for (unsigned i = 0; i < rounds; i++)
    for (int j = 0; j < 1024; j++) {
      sum += node->value;
      node = node->next;
    }
  return mix(sum, (uint64_t)(node - nodes));
}
