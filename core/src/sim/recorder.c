/* What becomes of the lines of the trace: the latest are kept, and all are written to a file, if somebody wants that. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "sim/internal.h"

struct sim_recorder {
    struct buffer lines;
    size_t start; /* of the first line that still counts */
    size_t size_max;
    uint64_t lost;
    FILE *file;
    int file_failed;
};

static peer_status make(struct sim *sim)
{
    if (sim->recorder == NULL)
        sim->recorder = peer__calloc(1, sizeof(*sim->recorder));
    return sim->recorder != NULL ? PEER_OK : peer__out_of_memory();
}

/* Lines go in large pieces, so that not every new one moves all others. */
static void make_room(struct sim_recorder *recorder, size_t size)
{
    struct buffer *lines = &recorder->lines;
    while (lines->size - recorder->start + size > recorder->size_max && recorder->start < lines->size) {
        const uint8_t *first = lines->data + recorder->start;
        const uint8_t *end = memchr(first, '\n', lines->size - recorder->start);
        recorder->start += (size_t)(end - first) + 1;
        recorder->lost++;
    }
    if (recorder->start > recorder->size_max / 2 || recorder->start == lines->size) {
        peer__buffer_consume(lines, recorder->start);
        recorder->start = 0;
    }
}

static void keep(struct sim_recorder *recorder, const char *text, size_t size)
{
    struct buffer *lines = &recorder->lines;
    if (size + 1 > recorder->size_max) {
        recorder->lost++;
        return;
    }
    make_room(recorder, size + 1);
    if (peer__buffer_reserve(lines, size + 1) == NULL) {
        lines->failed = 0; /* a line less: the simulation goes on */
        recorder->lost++;
        return;
    }
    peer__buffer_append(lines, text, size);
    peer__buffer_append(lines, "\n", 1);
}

void peer__sim_record_line(struct sim *sim, const char *text, size_t size)
{
    struct sim_recorder *recorder = sim->recorder;
    if (recorder->size_max > 0)
        keep(recorder, text, size);
    if (recorder->file != NULL && (fwrite(text, 1, size, recorder->file) != size || putc('\n', recorder->file) == EOF))
        recorder->file_failed = 1;
}

peer_status peer__sim_keep_trace(struct sim *sim, size_t size_max)
{
    PEER_TRY(make(sim));
    peer__buffer_free(&sim->recorder->lines);
    sim->recorder->start = 0;
    sim->recorder->size_max = size_max;
    sim->recorder->lost = 0;
    return PEER_OK;
}

struct span peer__sim_kept_trace(const struct sim *sim, uint64_t *lost_out)
{
    const struct sim_recorder *recorder = sim->recorder;
    *lost_out = recorder != NULL ? recorder->lost : 0;
    if (recorder == NULL || recorder->start == recorder->lines.size)
        return (struct span){0};
    return (struct span){recorder->lines.data + recorder->start, recorder->lines.size - recorder->start};
}

void peer__sim_drop_trace(struct sim *sim)
{
    struct sim_recorder *recorder = sim->recorder;
    if (recorder == NULL)
        return;
    peer__buffer_clear(&recorder->lines);
    recorder->start = 0;
    recorder->lost = 0;
}

static peer_status close_file(struct sim_recorder *recorder)
{
    if (recorder->file == NULL)
        return PEER_OK;
    int failed = fclose(recorder->file) != 0 || recorder->file_failed;
    recorder->file = NULL;
    recorder->file_failed = 0;
    return failed ? peer__fail(PEER_E_DISK_FULL, "the file of the trace is not complete: it could not be written")
                  : PEER_OK;
}

peer_status peer__sim_trace_to_file(struct sim *sim, const char *path)
{
    PEER_TRY(make(sim));
    FILE *file = NULL;
    if (path != NULL && (file = fopen(path, "we")) == NULL)
        return peer__fail(E_ACCESSDENIED, "\"%s\" cannot be written", path);
    peer_status status = close_file(sim->recorder);
    sim->recorder->file = file;
    return status;
}

void peer__sim_recorder_end(struct sim *sim)
{
    if (sim->recorder == NULL)
        return;
    (void)close_file(sim->recorder);
    peer__buffer_free(&sim->recorder->lines);
    peer__free(sim->recorder);
}
