/* A stack machine's interpreter, a switch in a loop; its program sieves primes. */
#include "bench.h"

#define CELLS 4096

enum op { PUSH, LOAD, STORE, GET, PUT, ADD, MUL, LESS, JUMP, JUMP_IF_NOT, DUP, DROP, SWAP, XOR, HALT };

#define LIMIT 2000
/* Cells: the candidate, its multiple, the sum so far; then a cell for each number, nonzero for what is composite. */
enum cell { CANDIDATE, MULTIPLE, SUM, COMPOSITE = 16 };

static int16_t program[128];
static int32_t cells[CELLS];
static int length;

static int emit(enum op op) {
  program[length++] = (int16_t)op;
  return length;
}

/* The place of the operand. */
static int emit_with(enum op op, int operand) {
  emit(op);
  program[length] = (int16_t)operand;
  return length++;
}

static void land(int jump) { program[jump] = (int16_t)length; }

void prepare(void) {
  emit_with(PUSH, 2), emit_with(PUT, CANDIDATE);
  int outer = length;
  emit_with(GET, CANDIDATE), emit_with(PUSH, LIMIT), emit(LESS);
  int done = emit_with(JUMP_IF_NOT, 0);
  emit_with(GET, CANDIDATE), emit_with(PUSH, COMPOSITE), emit(ADD), emit(LOAD);
  int prime = emit_with(JUMP_IF_NOT, 0);
  int composite = emit_with(JUMP, 0);
  land(prime);
  emit_with(GET, SUM), emit_with(PUSH, 31), emit(MUL), emit_with(GET, CANDIDATE), emit(XOR), emit_with(PUT, SUM);
  emit_with(GET, CANDIDATE), emit(DUP), emit(ADD), emit_with(PUT, MULTIPLE);
  int inner = length;
  emit_with(GET, MULTIPLE), emit_with(PUSH, LIMIT), emit(LESS);
  int crossed = emit_with(JUMP_IF_NOT, 0);
  emit_with(PUSH, 1), emit_with(PUSH, COMPOSITE), emit_with(GET, MULTIPLE), emit(SWAP), emit(ADD), emit(STORE);
  emit_with(GET, MULTIPLE), emit_with(GET, CANDIDATE), emit(ADD), emit_with(PUT, MULTIPLE);
  emit_with(JUMP, inner);
  land(crossed), land(composite);
  emit_with(GET, CANDIDATE), emit_with(PUSH, 1), emit(ADD), emit_with(PUT, CANDIDATE);
  emit_with(JUMP, outer);
  land(done);
  emit(HALT);
}

static NOINLINE int32_t interpret(const int16_t *code) {
  int32_t stack[16], *top = stack;
  for (;;) {
    switch (*code++) {
      case PUSH:
        *top++ = *code++;
        break;
      case LOAD:
        top[-1] = cells[top[-1] & (CELLS - 1)];
        break;
      case STORE:
        cells[top[-1] & (CELLS - 1)] = top[-2];
        top -= 2;
        break;
      case GET:
        *top++ = cells[*code++];
        break;
      case PUT:
        cells[*code++] = *--top;
        break;
      case ADD:
        top--;
        top[-1] += top[0];
        break;
      case MUL:
        top--;
        top[-1] = (int32_t)((uint32_t)top[-1] * (uint32_t)top[0]);
        break;
      case LESS:
        top--;
        top[-1] = top[-1] < top[0];
        break;
      case JUMP:
        code = program + *code;
        break;
      case JUMP_IF_NOT:
        code = *--top ? code + 1 : program + *code;
        break;
      case DUP:
        top[0] = top[-1];
        top++;
        break;
      case DROP:
        top--;
        break;
      case SWAP: {
        int32_t upper = top[-1];
        top[-1] = top[-2];
        top[-2] = upper;
        break;
      }
      case XOR:
        top--;
        top[-1] ^= top[0];
        break;
      default:
        return cells[SUM];
    }
  }
}

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    memset(cells, 0, sizeof cells);
    cells[COMPOSITE + 2 + i % 5] = (int32_t)(i & 1);
    sum = mix(sum, (uint32_t)interpret(program));
  }
  return sum;
}
