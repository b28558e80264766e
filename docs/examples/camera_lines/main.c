/*
 * Names what a QVGA camera sees, with memory for two of its lines: an OV2640 or OV7670 that sends RGB565, high byte
 * first, by DMA that writes one line while the network's input is made of the other. The reader comes from
 *     quantmcu generate gauge.quantmcu.json --project . --camera rgb565be --camera-size 320x240
 */
#include <stddef.h>

#include "board.h"
#include "gauge_camera.h"

static GAUGE_ARENA(arena);

/* Lines of a data cache where there is one, so that it can be invalidated. */
QMCU_ALIGN(32) static uint8_t lines[2][GAUGE_CAMERA_LINE_BYTES];

static volatile int32_t received; /* lines of this picture that are in memory */
static volatile int32_t reading;  /* the one that is read, or -1 */
static volatile int32_t late;     /* DMA wrote over a line that was read */

/* Interrupt: a line is complete, DMA goes on with the next one in the other buffer. */
void camera_line_received(void)
{
    received = received + 1;
    if (reading >= 0 && received >= reading + 2) {
        late = 1;
    }
}

static const uint8_t *line(void *context, int32_t row)
{
    (void)context;
    reading = -1;
    while (received <= row) {
        /* Whoever sleeps here must not miss the interrupt between looking and sleeping. */
    }
    reading = row;
    return late != 0 || received > row + 1 ? NULL : lines[row & 1];
}

static gauge_camera camera = {.line = line};

int main(void)
{
    if (gauge_selftest(arena) != GAUGE_OK) {
        return 1; /* this build does not compute what the generator computed */
    }
    for (;;) {
        received = 0;
        reading = -1;
        late = 0;
        camera_start(lines[0], lines[1], GAUGE_CAMERA_LINE_BYTES); /* from the next picture's first line on */
        const int missing = gauge_camera_input(&camera, gauge_input(arena));
        camera_stop();
        if (missing == 0 && late == 0 && gauge_invoke(arena) == GAUGE_OK) {
            show(gauge_top(arena), gauge_output(arena));
        }
    }
}
