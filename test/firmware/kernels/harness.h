/*
 * Runs the steps of a case that the tests have written as a stream of little-endian 32-bit words.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *p;
    /* Gives the kernel's constants their place: a copy of exactly their size where overruns are to be found. */
    const void *(*place)(const uint8_t *bytes, size_t length);
} harness_reader;

int32_t harness_word(harness_reader *reader);

/* Runs the steps that follow in the stream. Returns 0, or -1 for an unknown kernel. */
int harness_run(harness_reader *reader, uint8_t *arena);

#endif
