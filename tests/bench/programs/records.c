/* A mix like Dhrystone's: records that point at records, string copies and comparisons, small procedures, enumerations. */
#include "bench.h"

enum colour { RED, GREEN, BLUE, YELLOW, BLACK };

struct record {
  struct record *next;
  enum colour colour, other;
  int number;
  char name[32];
};

static struct record *current, *following;
static int table[50], square[50][50];
static int total;
static char letter;

void prepare(void) {
  current = calloc(1, sizeof *current);
  following = calloc(1, sizeof *following);
  current->next = following;
  strcpy(current->name, "A FIRST RECORD, OF SOME LENGTH");
}

static NOINLINE int same_letter(char a, char b) {
  char copy = a;
  if (copy != b)
    return 0;
  letter = copy;
  return 1;
}

static NOINLINE int earlier(const char *a, const char *b) {
  int at = 2;
  while (at <= 2)
    if (!same_letter(a[at], b[at + 1]))
      at++;
    else
      at += 2;
  if (strcmp(a, b) > 0) {
    total += at;
    return 1;
  }
  return 0;
}

static NOINLINE enum colour next_colour(enum colour colour) {
  switch (colour) {
    case RED:
      return YELLOW;
    case GREEN:
      return total > 100 ? RED : YELLOW;
    case BLUE:
      return GREEN;
    case YELLOW:
      return BLUE;
    default:
      return BLACK;
  }
}

static NOINLINE void add(int a, int b, int *result) { *result = a + 2 + b; }

static NOINLINE void fill(int *row, int (*rows)[50], int a, int b) {
  int at = a + 5;
  row[at] = b;
  row[at + 1] = row[at];
  row[at + 30 - 6] = at;
  for (int i = at; i <= at + 1; i++)
    rows[at][i] = at;
  rows[at][at - 1]++;
  rows[at + 20 - 6][at] = row[at];
  total = (total + 5) & 0xffff;
}

static NOINLINE void hand_on(struct record *from) {
  struct record *next = from->next;
  *next = *from;
  next->number = from->number + 5;
  next->next = from->next;
  next->other = next_colour(from->other);
  add(next->number, 10, &next->number);
  if (next->colour == RED) {
    next->number = (next->number + 6) & 0xfff;
    from->colour = next_colour(next->other);
  } else {
    from->colour = RED;
  }
}

uint64_t work(unsigned rounds) {
  char first[32], second[32];
  uint64_t sum = 0;
  strcpy(first, "A STRING IN THE PROGRAM, NO 1");
  for (unsigned i = 1; i <= rounds; i++) {
    int a = 2, b = 3, c = 0;
    strcpy(second, "A STRING IN THE PROGRAM, NO 2");
    second[26] = (char)('A' + i % 26);
    int flag = !earlier(first, second);
    while (a < b) {
      c = 5 * a - b;
      add(a, b, &c);
      a++;
    }
    fill(table, square, a, c);
    hand_on(current);
    for (char at = 'A'; at <= 'B' + (char)(i & 1); at++)
      if (same_letter(at, 'C'))
        strcpy(second, "A STRING IN THE PROGRAM, NO 3");
    b = b * a;
    a = b / (c % 7 + 1);
    b = 7 * (b - c) - a;
    sum = mix(sum, (uint64_t)(uint32_t)(a + b + flag + total + second[28] + current->next->number));
  }
  return sum;
}
