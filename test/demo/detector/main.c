/*
 * A detector on a board: lines of a camera in, boxes out over a serial line. The camera is a stand-in that gives the
 * lines of pictures in flash, as a sensor with a line buffer would; the board is Arm's MPS2 as QEMU emulates it.
 */
#include <stdint.h>

#include "discs.h"
#include "discs_camera.h"
#include "discs_detect.h"

#define PICTURES      4
#define PICTURE_BYTES (DISCS_CAMERA_ROWS * DISCS_CAMERA_LINE_BYTES)

extern const uint8_t sensor_pictures[PICTURES][PICTURE_BYTES];

/* CMSDK APB UART 0 of the MPS2 (Arm DAI0386, chapter 3; register summary in DDI0479, chapter 4.3). */
#define UART_DATA    (*(volatile uint32_t *)0x40004000u)
#define UART_STATE   (*(volatile uint32_t *)0x40004004u)
#define UART_CONTROL (*(volatile uint32_t *)0x40004008u)
#define UART_DIVIDER (*(volatile uint32_t *)0x40004010u)
#define UART_FULL    1u

static void put(const char *text)
{
    for (; *text != '\0'; text++) {
        while ((UART_STATE & UART_FULL) != 0) {
        }
        UART_DATA = (uint32_t)(uint8_t)*text;
    }
}

static void put_number(int32_t value)
{
    char digits[12];
    char *at = digits + sizeof digits - 1;
    uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    *at = '\0';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0) {
        *--at = '-';
    }
    put(at);
}

/* The line buffer of the sensor: it holds one line at a time. */
typedef struct {
    int picture;
    uint8_t buffer[DISCS_CAMERA_LINE_BYTES];
} sensor;

static const uint8_t *next_line(void *context, int32_t row)
{
    sensor *s = (sensor *)context;
    const uint8_t *from = sensor_pictures[s->picture] + row * DISCS_CAMERA_LINE_BYTES;
    for (int i = 0; i < DISCS_CAMERA_LINE_BYTES; i++) {
        s->buffer[i] = from[i];
    }
    return s->buffer;
}

static DISCS_ARENA(arena);
static sensor pixels;
static discs_camera camera = {.line = next_line, .context = &pixels};
static discs_box boxes[DISCS_DETECT_MAX];

int main(void)
{
    static const char *const labels[] = {"red", "green", "blue"};
    UART_DIVIDER = 16;
    UART_CONTROL = 1; /* sends */
    if (discs_selftest(arena) != DISCS_OK) {
        put("self-test failed\n");
        return 1;
    }
    for (pixels.picture = 0; pixels.picture < PICTURES; pixels.picture++) {
        if (discs_camera_input(&camera, discs_input(arena)) != 0 || discs_invoke(arena) != DISCS_OK) {
            return 2;
        }
        const int count = discs_detect(arena, DISCS_DETECT_SCRATCH(arena), boxes, DISCS_DETECT_MAX);
        put("picture ");
        put_number(pixels.picture);
        put(": ");
        put_number(count);
        put(count == 1 ? " box\n" : " boxes\n");
        for (int i = 0; i < count; i++) {
            const discs_box *b = &boxes[i];
            const int32_t corners[] = {b->x1, b->y1, b->x2, b->y2};
            put("  ");
            put(labels[b->label]);
            for (int k = 0; k < 4; k++) {
                put(" ");
                put_number((corners[k] + 8) >> 4); /* 1/16 pixel */
            }
            put(" ");
            put_number((b->score * 100 + (1 << 14)) >> 15); /* Q15 */
            put(" %\n");
        }
    }
    return 0;
}
