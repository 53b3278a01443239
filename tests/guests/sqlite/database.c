/*
 * `database ROWS`: builds tables in a database of SQLite's, indexes and queries them, changes them, takes changes back,
 * and prints what it reads, and a checksum of what is too long to print.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory-vfs.h"
#include "sqlite3.h"

#define NAME "people.db"

static sqlite3 *db;
static uint32_t random_state = 88172645;

static uint32_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

static void check(int result, const char *what) {
  if (result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ROW)
    return;
  printf("%s: %d: %s\n", what, result, sqlite3_errmsg(db));
  exit(1);
}

static void run(const char *sql) { check(sqlite3_exec(db, sql, NULL, NULL, NULL), sql); }

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *statement;
  check(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), sql);
  return statement;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count) {
  for (const unsigned char *at = bytes; count > 0; at++, count--)
    hash = (hash ^ *at) * 0x100000001b3u;
  return hash;
}

static void print_hash(const char *what, uint64_t hash) {
  printf("%s %08lx%08lx\n", what, (unsigned long)(hash >> 32), (unsigned long)(hash & 0xffffffff));
}

/* Prints the first rows of a query, and the number and checksum of all of them. */
static void ask(const char *sql) {
  sqlite3_stmt *statement = prepare(sql);
  uint64_t hash = 0xcbf29ce484222325u;
  long rows = 0;
  printf("? %s\n", sql);
  while (sqlite3_step(statement) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
      const char *text = (const char *)sqlite3_column_text(statement, i);
      hash = hash_bytes(hash, text == NULL ? "" : text, text == NULL ? 1 : strlen(text) + 1);
      if (rows < 6)
        printf("%s%s", i > 0 ? "|" : "  ", text == NULL ? "NULL" : text);
    }
    if (rows++ < 6)
      printf("\n");
  }
  check(sqlite3_finalize(statement), sql);
  printf("  %ld rows, ", rows);
  print_hash("checksum", hash);
}

static void fill_people(int rows) {
  static const char *const cities[] = {"Aachen", "Bergen", "Cádiz", "Dublin", "Espoo", "Fès", "Gdańsk", "Haifa"};
  static const char *const parts[] = {"an", "bel", "cor", "da", "el", "fi", "gon", "hil", "is", "jo", "ka", "lu"};
  sqlite3_stmt *insert = prepare("INSERT INTO people(name, city, born, balance, picture) VALUES(?, ?, ?, ?, ?)");
  for (int i = 0; i < rows; i++) {
    char name[40] = "", *end = name;
    unsigned char picture[48];
    for (int j = 2 + (int)(next_random() % 3); j > 0; j--)
      end += sprintf(end, "%s", parts[next_random() % 12]);
    sprintf(end, " %u", next_random() % 1000);
    size_t length = next_random() % sizeof picture;
    for (size_t j = 0; j < length; j++)
      picture[j] = (unsigned char)next_random();
    sqlite3_bind_text(insert, 1, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(insert, 2, cities[next_random() % 8 * (next_random() % 8) / 8], -1, SQLITE_STATIC);
    sqlite3_bind_int(insert, 3, 1920 + (int)(next_random() % 90));
    if (i % 50 == 0)
      sqlite3_bind_null(insert, 4);
    else
      sqlite3_bind_double(insert, 4, (double)(next_random() % 2000000) / 64 - 8000);
    sqlite3_bind_blob(insert, 5, picture, (int)length, SQLITE_TRANSIENT);
    check(sqlite3_step(insert), "INSERT");
    sqlite3_reset(insert);
  }
  check(sqlite3_finalize(insert), "INSERT");
}

static void build_tables(int rows) {
  run("CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, born INT, balance REAL, picture BLOB)");
  run("CREATE TABLE visits(person INT REFERENCES people(id), day INT, cents INT, PRIMARY KEY(person, day)) WITHOUT ROWID");
  run("BEGIN");
  fill_people(rows);
  run("INSERT OR IGNORE INTO visits SELECT id, (id * 7919 + born) % 365, (id * 31 + born * 17) % 9000 FROM people");
  run("INSERT OR IGNORE INTO visits SELECT id, (id * 104729 + born) % 365, length(picture) * 11 FROM people WHERE id % 3 = 0");
  run("COMMIT");
  run("CREATE INDEX people_city ON people(city, born)");
  run("CREATE INDEX people_name ON people(name COLLATE NOCASE, balance DESC)");
  run("CREATE INDEX visits_day ON visits(day) WHERE cents > 1000");
  run("ANALYZE");
}

static void query(void) {
  ask("SELECT count(*), count(balance), min(born), max(born), sum(length(picture)) FROM people");
  ask("SELECT city, count(*) AS n, round(avg(balance), 6), total(balance) FROM people GROUP BY city ORDER BY n DESC, city");
  ask("SELECT id, name, balance FROM people WHERE city = 'Bergen' AND born BETWEEN 1950 AND 1953 ORDER BY balance, id");
  ask("SELECT name, count(*) AS n FROM people GROUP BY name COLLATE NOCASE HAVING n > 3 ORDER BY n DESC, name LIMIT 20");
  ask("SELECT id, upper(name), hex(picture), typeof(balance) FROM people ORDER BY name DESC, id");
  ask("SELECT p.city, sum(v.cents), max(v.day) FROM people p JOIN visits v ON v.person = p.id WHERE v.day < 30"
      " GROUP BY p.city ORDER BY 2 DESC");
  ask("SELECT v.day, count(DISTINCT p.city), avg(p.born) FROM visits v LEFT JOIN people p ON p.id = v.person"
      " WHERE v.cents > 1000 GROUP BY v.day ORDER BY v.day");
  ask("SELECT id, city, rank() OVER (PARTITION BY city ORDER BY balance DESC, id), sum(born) OVER (ORDER BY id ROWS 9 PRECEDING)"
      " FROM people WHERE id % 10 = 3 ORDER BY id");
  ask("SELECT name FROM people WHERE name LIKE '%corlu%' OR name GLOB 'fi*9' ORDER BY id");
  ask("SELECT a.id, b.id FROM people a, people b WHERE a.name = b.name COLLATE NOCASE AND a.id < b.id AND a.born = b.born"
      " ORDER BY 1, 2");
  ask("WITH RECURSIVE f(n, a, b) AS (VALUES(1, 0, 1) UNION ALL SELECT n + 1, b, a + b FROM f WHERE n < 90) SELECT n, a FROM f");
  ask("SELECT born / 10 * 10 AS decade, group_concat(DISTINCT city) FROM people GROUP BY decade ORDER BY decade");
  ask("SELECT json_extract(value, '$.x'), key FROM json_each(json_array(json_object('x', 1.5), json('{\"x\":[2,\"é\"]}')))");
  ask("SELECT printf('%.15g %e %08.3f %!.20g', balance, balance * 1e100, balance / 7, balance / 3) FROM people WHERE id < 2000");
  ask("SELECT date('now'), julianday('2000-02-29 12:34:56.789'), strftime('%Y-%W %j', '1999-12-31')");
  ask("EXPLAIN QUERY PLAN SELECT name FROM people WHERE city = 'Espoo' AND born > 1990 ORDER BY balance");
  ask("SELECT 9223372036854775807 + 0, 9223372036854775807 + 1, -7 / 2, -7 % 3, 5 << 40, ~0 >> 3, 1e308 * 10, 7 / 0");
}

static void change(void) {
  run("BEGIN");
  run("UPDATE people SET balance = balance * 1.015625, city = lower(city) WHERE city IN ('Dublin', 'Haifa')");
  run("DELETE FROM visits WHERE person IN (SELECT id FROM people WHERE born < 1930)");
  run("SAVEPOINT half");
  run("DELETE FROM people WHERE id % 2 = 0");
  ask("SELECT count(*) FROM people");
  run("ROLLBACK TO half");
  run("COMMIT");
  run("BEGIN");
  run("UPDATE people SET name = name || '!', picture = zeroblob(100) WHERE id % 5 = 1");
  ask("SELECT count(*), sum(length(picture)) FROM people WHERE name LIKE '%!'");
  run("ROLLBACK");
  ask("SELECT city, count(*), total(balance) FROM people GROUP BY city");
  ask("SELECT count(*), sum(cents) FROM visits");
  run("DELETE FROM people WHERE id % 7 = 2");
  run("VACUUM");
  ask("PRAGMA integrity_check");
}

static void open_database(void) { check(sqlite3_open(NAME, &db), "open"); }

static void close_database(void) {
  check(sqlite3_close(db), "close");
  long size;
  const unsigned char *bytes = memory_file(NAME, &size);
  printf("%s has %ld bytes, ", NAME, size);
  /* The header's bytes 96 to 99 are the version of SQLite; the rest depends on the statements alone. */
  print_hash("checksum", hash_bytes(0xcbf29ce484222325u, bytes, (size_t)size));
}

int main(int argc, char **argv) {
  open_database();
  run("PRAGMA cache_size = 200");
  build_tables(argc > 1 ? atoi(argv[1]) : 1000);
  query();
  close_database();
  open_database();
  change();
  query();
  close_database();
  return 0;
}
