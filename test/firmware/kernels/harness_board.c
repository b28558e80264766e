/*
 * The harness on an emulated board: CASES RESULTS BYTES, files of this computer as in harness_main.c and the length of
 * the first, and the same again for further ones. Ends with 2 where the cases cannot be read or are too many, 3 where
 * an arena has no room, 5 where a case's constants have none, 4 where a case cannot be read.
 */
#include <string.h>

#include "harness.h"
#include "semihosting.h"

#ifndef CASES_BYTES
#define CASES_BYTES 1200000
#endif
#define ARENA_BYTES     65536
#define CONSTANTS_BYTES 262144

static _Alignas(8) uint8_t cases[CASES_BYTES];
static _Alignas(8) uint8_t arena[ARENA_BYTES];
static _Alignas(8) uint8_t constants[CONSTANTS_BYTES];
static size_t used;

/* Constants begin on words, as the generated ones do, and on nothing more. */
static const void *place(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = constants + used;
    used += (length + 3u) & ~(size_t)3u;
    if (used % 8u == 0u) {
        used += 4u;
    }
    if (used > CONSTANTS_BYTES) {
        semihosting_exit(5);
    }
    memcpy(copy, bytes, length);
    return copy;
}

static size_t number(const char *digits)
{
    size_t n = 0u;
    for (; *digits != '\0'; digits++) {
        n = 10u * n + (size_t)(*digits - '0');
    }
    return n;
}

static int run(const char *cases_file, const char *results_file, size_t bytes)
{
    const int in = semihosting_open(cases_file, SEMIHOSTING_MODE_RB);
    const int out = semihosting_open(results_file, SEMIHOSTING_MODE_WB);
    if (bytes > CASES_BYTES || in < 0 || out < 0 || !semihosting_read(in, cases, bytes)) {
        return 2;
    }
    harness_reader reader = {cases, place};
    for (int32_t count = harness_word(&reader); count > 0; count--) {
        const size_t size = (size_t)harness_word(&reader);
        if (size > ARENA_BYTES) {
            return 3;
        }
        memcpy(arena, reader.p, size);
        reader.p += (size + 3u) & ~(size_t)3u;
        used = 4u;
        if (harness_run(&reader, arena) != 0 || !semihosting_write(out, arena, size)) {
            return 4;
        }
    }
    semihosting_close(in);
    semihosting_close(out);
    return 0;
}

int main(int argc, char **argv)
{
    int error = argc > 3 && argc % 3 == 1 ? 0 : 2;
    for (int at = 1; error == 0 && at < argc; at += 3) {
        error = run(argv[at], argv[at + 1], number(argv[at + 2]));
    }
    return error;
}
