/*
 * harness CASES RESULTS: a file of cases (count; then arena size, arena and steps of each) in, their arenas out. Arena
 * and constants lie in blocks of exactly their size, so that the address sanitizer sees the first byte beside them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static void *blocks[1024];
static size_t block_count;

static const void *place(const uint8_t *bytes, size_t length)
{
    if (block_count == sizeof blocks / sizeof blocks[0]) {
        abort();
    }
    void *copy = malloc(length);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, bytes, length);
    blocks[block_count++] = copy;
    return copy;
}

static uint8_t *read_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        return NULL;
    }
    const long size = ftell(file);
    rewind(file);
    uint8_t *bytes = size > 0 ? malloc((size_t)size) : NULL;
    if (bytes != NULL && fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    return bytes;
}

int main(int argc, char **argv)
{
    uint8_t *cases = argc == 3 ? read_file(argv[1]) : NULL;
    FILE *results = argc == 3 ? fopen(argv[2], "wb") : NULL;
    if (cases == NULL || results == NULL) {
        fprintf(stderr, "usage: harness CASES RESULTS\n");
        return 2;
    }
    harness_reader reader = {cases, place};
    const int32_t count = harness_word(&reader);
    for (int32_t i = 0; i < count; i++) {
        const size_t size = (size_t)harness_word(&reader);
        uint8_t *arena = malloc(size);
        if (arena == NULL) {
            return 2;
        }
        memcpy(arena, reader.p, size);
        reader.p += (size + 3u) & ~(size_t)3u;
        if (harness_run(&reader, arena) != 0) {
            fprintf(stderr, "case %ld cannot be read\n", (long)i);
            return 2;
        }
        fwrite(arena, 1, size, results);
        free(arena);
        while (block_count > 0) {
            free(blocks[--block_count]);
        }
    }
    free(cases);
    return fclose(results) == 0 ? 0 : 2;
}
