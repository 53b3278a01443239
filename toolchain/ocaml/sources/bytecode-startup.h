/*
 * Goes before the C that ocamlc writes for a bytecode program (bytelink.ml): what code says of the program itself is read from a table,
 * so that text and read-only data are those of every program with the same libraries, whose translations it finds.
 */
#define CAML_INTERNALS
#include <caml/mlvalues.h>
#include <caml/startup.h>

#define caml_startup_code(its_code, its_code_size, its_data, its_data_size, its_sections, its_sections_size, pooling, argv) \
  do { \
    static volatile struct { \
      code_t code; \
      char *data, *sections; \
      asize_t code_size, data_size, sections_size; \
    } program = {(code_t)(its_code), its_data, its_sections, its_code_size, its_data_size, its_sections_size}; \
    caml_startup_code(program.code, program.code_size, program.data, program.data_size, program.sections, \
                      program.sections_size, pooling, argv); \
  } while (0)
