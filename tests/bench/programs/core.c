/* A mix like CoreMark's: linked lists that are searched, reversed and sorted; small matrices; a state machine over text. */
#include "bench.h"

#define NODES 64
#define SIZE 13
#define TEXT 2048

struct node {
  struct node *next;
  int16_t key, value;
};

static struct node nodes[NODES];
static struct node *list;
static int16_t left[SIZE][SIZE], right[SIZE][SIZE];
static int32_t product[SIZE][SIZE];
static char text[TEXT + 1];

void prepare(void) {
  static const char *const words[] = {"12", "-7", "+3.25", "6e4", "0x", "1.5e-9", "abc", "-.5", ".", "77e+"};
  for (int i = 0; i < NODES; i++)
    nodes[i] = (struct node){i + 1 < NODES ? &nodes[i + 1] : NULL, (int16_t)next_random(), (int16_t)i};
  list = nodes;
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      left[i][j] = (int16_t)(next_random() % 1000);
      right[i][j] = (int16_t)(next_random() % 1000);
    }
  size_t length = 0;
  while (length + 8 < TEXT) {
    const char *word = words[next_random() % 10];
    memcpy(text + length, word, strlen(word));
    length += strlen(word);
    text[length++] = ',';
  }
}

static NOINLINE uint16_t crc16(uint16_t crc, uint32_t value) {
  for (int bit = 0; bit < 32; bit++) {
    uint16_t low = (crc ^ value) & 1;
    value >>= 1;
    crc >>= 1;
    if (low)
      crc ^= 0xa001;
  }
  return crc;
}

static NOINLINE struct node *find(struct node *from, int16_t value) {
  while (from != NULL && from->value != value)
    from = from->next;
  return from;
}

static NOINLINE struct node *reverse(struct node *from) {
  struct node *done = NULL;
  while (from != NULL) {
    struct node *next = from->next;
    from->next = done;
    done = from;
    from = next;
  }
  return done;
}

typedef int compare(const struct node *, const struct node *);

static int by_key(const struct node *a, const struct node *b) { return a->key - b->key; }
static int by_value(const struct node *a, const struct node *b) { return a->value - b->value; }

static struct node *sort(struct node *from, int count, compare *order) {
  if (count == 1) {
    from->next = NULL;
    return from;
  }
  struct node *middle = from, *sorted, **end = &sorted;
  for (int i = 0; i < count / 2; i++)
    middle = middle->next;
  struct node *b = sort(middle, count - count / 2, order);
  struct node *a = sort(from, count / 2, order);
  while (a != NULL && b != NULL) {
    struct node **least = order(a, b) <= 0 ? &a : &b;
    *end = *least;
    end = &(*least)->next;
    *least = (*least)->next;
  }
  *end = a != NULL ? a : b;
  return sorted;
}

static NOINLINE uint16_t lists(uint16_t crc, int seed) {
  for (int i = 0; i < 16; i++) {
    struct node *found = find(list, (int16_t)((seed + i * 37) % NODES));
    if (found != NULL)
      crc = crc16(crc, (uint16_t)(found->key ^= (int16_t)(i + seed)));
    list = reverse(list);
  }
  list = sort(list, NODES, by_key);
  crc = crc16(crc, (uint16_t)list->value);
  list = sort(list, NODES, by_value);
  return crc;
}

/* `size` is a parameter so that gcc does not make vectors of what CoreMark leaves scalar. */
static NOINLINE uint16_t matrices(uint16_t crc, int16_t add, int size) {
  for (int i = 0; i < size; i++)
    for (int j = 0; j < size; j++)
      left[i][j] = (int16_t)(left[i][j] + add);
  for (int i = 0; i < size; i++)
    for (int j = 0; j < size; j++) {
      int32_t sum = 0;
      for (int k = 0; k < size; k++)
        sum += left[i][k] * right[k][j];
      product[i][j] = sum;
    }
  int32_t whole = 0;
  for (int i = 0; i < size; i++)
    for (int j = 0; j < size; j++)
      whole += (product[i][j] >> 2 & 15) * (product[i][j] >> 5 & 127);
  return crc16(crc, (uint32_t)whole);
}

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, POWER, WRONG, STATES };

static enum state step(enum state state, char c) {
  int digit = c >= '0' && c <= '9';
  switch (state) {
    case START:
      return digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : WRONG;
    case SIGN:
      return digit ? INTEGER : c == '.' ? POINT : WRONG;
    case INTEGER:
      return digit ? INTEGER : c == '.' ? POINT : c == 'e' ? EXPONENT : WRONG;
    case POINT:
    case FRACTION:
      return digit ? FRACTION : c == 'e' ? EXPONENT : WRONG;
    case EXPONENT:
      return digit || c == '+' || c == '-' ? POWER : WRONG;
    case POWER:
      return digit ? POWER : WRONG;
    default:
      return WRONG;
  }
}

static NOINLINE uint16_t states(uint16_t crc, int seed) {
  uint32_t count[STATES] = {0};
  text[seed % TEXT] ^= 1;
  enum state state = START;
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == ',') {
      count[state]++;
      state = START;
    } else {
      state = step(state, *c);
    }
  }
  for (int i = 0; i < STATES; i++)
    crc = crc16(crc, count[i]);
  return crc;
}

uint64_t work(unsigned rounds) {
  uint16_t crc = 0;
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    crc = lists(crc, (int)(i % 1009));
    for (int j = 0; j < 2; j++)
      crc = matrices(crc, (int16_t)(crc & 15), SIZE - (int)(i & 1));
    crc = states(crc, (int)(i % 509));
    sum = mix(sum, crc);
  }
  return sum;
}
