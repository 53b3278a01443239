/* Bodies under gravity, in double precision: a leapfrog step is a kick by all pairs, then a drift. */
#include "bench.h"

#include <math.h>

#define BODIES 5

static struct {
  double at[3], speed[3], mass;
} bodies[BODIES];

void prepare(void) {
  for (int i = 0; i < BODIES; i++) {
    for (int axis = 0; axis < 3; axis++) {
      bodies[i].at[axis] = (double)(next_random() % 2000) / 100 - 10 + 7 * i;
      bodies[i].speed[axis] = (double)(next_random() % 2000) / 1000 - 1;
    }
    bodies[i].mass = i == 0 ? 40 : (double)(1 + next_random() % 100) / 2000;
  }
}

static NOINLINE void step(double dt) {
  for (int i = 0; i < BODIES; i++)
    for (int j = i + 1; j < BODIES; j++) {
      double x = bodies[i].at[0] - bodies[j].at[0];
      double y = bodies[i].at[1] - bodies[j].at[1];
      double z = bodies[i].at[2] - bodies[j].at[2];
      double square = x * x + y * y + z * z + 0.01;
      double force = dt / (square * sqrt(square));
      double ours = bodies[j].mass * force, theirs = bodies[i].mass * force;
      bodies[i].speed[0] -= x * ours;
      bodies[i].speed[1] -= y * ours;
      bodies[i].speed[2] -= z * ours;
      bodies[j].speed[0] += x * theirs;
      bodies[j].speed[1] += y * theirs;
      bodies[j].speed[2] += z * theirs;
    }
  for (int i = 0; i < BODIES; i++)
    for (int axis = 0; axis < 3; axis++)
      bodies[i].at[axis] += dt * bodies[i].speed[axis];
}

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    for (int j = 0; j < 100; j++)
      step(0.001);
    sum = mix(sum, bits_of(bodies[i % BODIES].at[i % 3]));
  }
  return sum;
}
