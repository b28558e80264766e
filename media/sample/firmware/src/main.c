/* Reads an analog gauge from a picture.
 *
 * This is all an application has to do with the generated network (lib/gauge/gauge.h): give it an arena,
 * write the picture where gauge_input() says (or pass it another way, see run()), call gauge_invoke(), and take the
 * logits from gauge_output().
 */
#include <stdint.h>
#include <string.h>

#include "gauge.h"
#include "platform.h"
#include "test_image.h"

#define STEP_PERCENT 5 /* class 0 reads 0 %, class 1 reads 5 %, ... */

#if GAUGE_INPUT_BYTES != TEST_IMAGE_BYTES
#error "The network's input is not a 96x96 RGB picture: was it generated from media/sample/gauge.onnx?"
#endif
#if GAUGE_OUTPUT_BYTES != 100 / STEP_PERCENT + 1
#error \
    "The network's output is not one byte for each of the 21 readings: was it generated from media/sample/gauge.onnx?"
#endif

#if GAUGE_OUTPUT_SIGNED
typedef int8_t logit_t;
#else
typedef uint8_t logit_t;
#endif

/* Input, output and everything in between. A firmware with other work to do may lend the network memory that it
 * uses at other times: the arena's contents do not have to survive from one picture to the next. */
static GAUGE_ARENA(arena);

static void print_unsigned(unsigned long value)
{
    char text[24];
    char *at = text + sizeof text - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    platform_print(at);
}

/* A logit with two decimals, as the float network computes it. */
static void print_logit(logit_t code)
{
    float value = (float)(code - GAUGE_OUTPUT_ZERO_POINT) * GAUGE_OUTPUT_SCALE;
    unsigned long hundredths;
    if (value < 0.0f) {
        platform_print("-");
        value = -value;
    }
    hundredths = (unsigned long)(value * 100.0f + 0.5f);
    print_unsigned(hundredths / 100);
    platform_print(hundredths % 100 < 10 ? ".0" : ".");
    print_unsigned(hundredths % 100);
}

static void print_reading(int class_index)
{
    print_unsigned((unsigned long)class_index * STEP_PERCENT);
    platform_print(" %");
}

static void print_size(const char *label, unsigned long bytes)
{
    platform_print(label);
    print_unsigned(bytes);
    platform_print(" bytes\n");
}

/* The picture goes in as a camera delivers it; the network does its own scaling. */
static int run(const uint8_t *picture)
{
#if defined(GAUGE_INPUT_TILES) /* quantize --input tiles */
    /* The network asks for the parts it needs next. Here they are copied from a whole picture; if there is no
     * memory for one, write a function like gauge_read_input that takes them from the camera or a decoder. */
    gauge_source source;
    source.read = gauge_read_input;
    source.context = (void *)(uintptr_t)picture;
    return gauge_invoke_tiles(arena, &source);
#elif defined(GAUGE_INPUT_EXTERNAL) /* quantize --input external */
    /* The picture stays where it is. */
    return gauge_invoke_from(arena, picture);
#else
    /* Write it before every call: the network may use the input's memory again once it has read it. */
    memcpy(gauge_input(arena), picture, GAUGE_INPUT_BYTES);
    return gauge_invoke(arena);
#endif
}

int main(void)
{
    const logit_t *logits;
    int best = 0;
    int second = -1;
    int error;

    /* Does this build compute, on this machine, exactly what the generator computed? */
#if defined(GAUGE_INPUT_EXTERNAL)
    /* The self-test makes its input in memory that it is lent: here what a camera would write its picture to. */
    static uint8_t frame[GAUGE_INPUT_BYTES];
    error = gauge_selftest(arena, frame);
#else
    error = gauge_selftest(arena);
#endif
    platform_print(error == 0 ? "self-test: passed\n" : "self-test: FAILED\n");
    if (error != 0) {
        return 1;
    }

    error = run(test_image);
    if (error != 0) {
        platform_print("the network did not run\n");
        return 2;
    }

    logits = (const logit_t *)gauge_output(arena);
    for (int i = 1; i < GAUGE_OUTPUT_BYTES; i++) {
        if (logits[i] > logits[best]) {
            second = best;
            best = i;
        } else if (second < 0 || logits[i] > logits[second]) {
            second = i;
        }
    }
    platform_print("reading:   ");
    print_reading(best);
    platform_print(" (logit ");
    print_logit(logits[best]);
    platform_print("; next ");
    print_reading(second);
    platform_print(" with ");
    print_logit(logits[second]);
    platform_print("; the label says ");
    print_reading(TEST_IMAGE_CLASS);
    platform_print(")\n");

    print_size("arena:     ", GAUGE_ARENA_BYTES);
    print_size("weights:   ", GAUGE_WEIGHT_BYTES);
    if (platform_flash_bytes() != 0) {
        print_size("flash:     ", platform_flash_bytes());
        print_size("           of which the test picture ", TEST_IMAGE_BYTES);
    }
    return 0;
}
