/* What compress.c and decompress.c share: the text, and matches found by hash chains (as RFC 1951, 4 tells). */
#ifndef LZ_H
#define LZ_H

#include "bench.h"

#define TEXT 65536
#define WINDOW 32768
#define LEAST 3
#define MOST 258

/* A literal where length is 0; else `distance` back. */
struct token {
  uint16_t length, distance;
  uint8_t literal;
};

extern uint8_t text[TEXT];
extern struct token tokens[TEXT];

void make_text(void);
/* Fills tokens; their number. */
size_t find_matches(unsigned chain);

#endif
