/* Four threads of POSIX sort parts of an array; a fifth tells how far they are. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTS 4
#define SIZE 4000

static int numbers[SIZE];
static __thread long compared; /* each thread's own */
static long all_compared;
static int sorted;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t progress = PTHREAD_COND_INITIALIZER;

static int compare(const void *one, const void *other) {
  compared++;
  return *(const int *)one - *(const int *)other;
}

static void *sort(void *part) {
  qsort(part, SIZE / PARTS, sizeof(int), compare);
  pthread_mutex_lock(&mutex);
  all_compared += compared;
  sorted++;
  pthread_cond_signal(&progress);
  pthread_mutex_unlock(&mutex);
  return part;
}

static void *tell(void *unused) {
  (void)unused;
  pthread_mutex_lock(&mutex);
  for (int told = 0; told < PARTS;) {
    while (sorted == told)
      pthread_cond_wait(&progress, &mutex);
    for (; told < sorted; told++)
      printf("part %d of %d is sorted\n", told + 1, PARTS);
  }
  pthread_mutex_unlock(&mutex);
  return NULL;
}

/* Takes the least of what the parts begin with, again and again; the number of those out of order. */
static int merge(int *heads[PARTS]) {
  int wrong = 0, last = -1;
  for (int i = 0; i < SIZE; i++) {
    int **least = NULL;
    for (int part = 0; part < PARTS; part++) {
      int *end = numbers + (part + 1) * (SIZE / PARTS);
      if (heads[part] != end && (least == NULL || *heads[part] < **least))
        least = &heads[part];
    }
    wrong += **least < last;
    last = *(*least)++;
  }
  return wrong;
}

int main(void) {
  pthread_t teller, sorters[PARTS];
  int *heads[PARTS];
  srand(1);
  for (int i = 0; i < SIZE; i++)
    numbers[i] = rand() % 100000;

  pthread_create(&teller, NULL, tell, NULL);
  for (int part = 0; part < PARTS; part++)
    pthread_create(&sorters[part], NULL, sort, numbers + part * (SIZE / PARTS));
  for (int part = 0; part < PARTS; part++) {
    void *result;
    pthread_join(sorters[part], &result);
    heads[part] = result;
  }
  pthread_join(teller, NULL);
  printf("%d of %d out of order, main compared %ld, all others more: %d\n", merge(heads), SIZE, compared,
         all_compared > SIZE);
  return 0;
}
