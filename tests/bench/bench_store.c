/* Rows of 1 KiB a second, by rows per commit, in both kinds of store; then reading them, and rows that searches find by
 * five attributes. Options: [ROWS [DIRECTORY]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/search.h"
#include "store/memory.h"
#include "store/sqlite.h"

#define WIRE_SIZE 1024

struct bench {
    struct store_factory factory;
    struct store *store;
    const struct store_operations *calls;
    double slowest_s; /* of all commits */
    int has_attributes;
};

static void check(peer_status status)
{
    if (status < 0) {
        fprintf(stderr, "%s\n", peer__last_error());
        exit(1);
    }
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static peer_guid id_of(uint64_t number)
{
    peer_guid id;

    for (size_t i = 0; i < sizeof(id.bytes); i++) {
        number = number * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        id.bytes[i] = (uint8_t)(number >> 56);
    }
    return id;
}

static void add_text(struct buffer *attributes, const char *name, const char *format, uint64_t number)
{
    char text[64];
    int size = snprintf(text, sizeof(text), format, (int)number);
    struct indexed_attribute attribute = {.type = PEER_ATTRIBUTE_STRING,
                                          .name = {(const uint8_t *)name, strlen(name)},
                                          .text = {(const uint8_t *)text, (size_t)size}};

    peer__indexed_append(attributes, &attribute);
}

static void add_number(struct buffer *attributes, int32_t type, const char *name, uint64_t number)
{
    struct indexed_attribute attribute = {
        .type = type, .name = {(const uint8_t *)name, strlen(name)}, .number = (int64_t)number};

    peer__indexed_append(attributes, &attribute);
}

/* Those of bench_search.py. */
static struct span attributes_of(uint64_t number)
{
    static struct buffer attributes;

    peer__buffer_clear(&attributes);
    add_number(&attributes, PEER_ATTRIBUTE_INT, "size", number);
    add_text(&attributes, "path", "docs/%d", number);
    add_text(&attributes, "room", "room %d", number % 200);
    add_number(&attributes, PEER_ATTRIBUTE_DATE, "made", number * 1000000);
    add_text(&attributes, "kind", "note", number);
    return (struct span){attributes.data, attributes.size};
}

static void put(struct bench *bench, uint64_t number)
{
    static uint8_t wire[WIRE_SIZE];
    struct store_row row = {.id = id_of(number), .version = 1, .modified = number, .expires = number / 16};
    uint64_t seq;

    memcpy(wire, &number, sizeof(number));
    row.creator_id = (struct span){(const uint8_t *)"\0b\0o\0b", 6};
    row.wire = (struct span){wire, sizeof(wire)};
    if (bench->has_attributes)
        row.attributes = attributes_of(number);
    check(bench->calls->put(bench->store, &row, &seq));
}

/* The journal moves inline, as a job would with nobody else at work: the rates are those of one core. */
static void commit(struct bench *bench)
{
    double started_s = now_s();

    check(bench->calls->commit(bench->store));
    double took_s = now_s() - started_s;
    bench->slowest_s = took_s > bench->slowest_s ? took_s : bench->slowest_s;
    struct job *job = bench->calls->maintenance(bench->store);
    if (job != NULL) {
        job->run(job);
        job->done(job);
    }
}

static double put_rate(struct bench *bench, uint64_t first, uint64_t row_count, uint64_t rows_per_commit)
{
    double started_s = now_s();

    bench->slowest_s = 0;
    for (uint64_t i = 0; i < row_count; i++) {
        put(bench, first + i);
        if ((i + 1) % rows_per_commit == 0)
            commit(bench);
    }
    commit(bench);
    return (double)row_count / (now_s() - started_s);
}

static int visit(void *context, const struct store_row *row)
{
    *(uint64_t *)context += row->wire.size;
    return 0;
}

static double scan_rate(struct bench *bench, int by_modified, int want_wire)
{
    struct store_scan scan = {.by_modified = by_modified, .seq_max = UINT64_MAX};
    struct store_position position = {0};
    uint64_t bytes = 0, count = 0;
    double started_s = now_s();

    for (int end = 0; !end;)
        check(bench->calls->scan(bench->store, &scan, &position, want_wire, 64, visit, &bytes, &end));
    check(bench->calls->count(bench->store, &count));
    return (double)count / (now_s() - started_s);
}

static double get_rate(struct bench *bench, uint64_t row_count)
{
    uint64_t bytes = 0;
    double started_s = now_s();

    for (uint64_t i = 0; i < row_count; i++) {
        peer_guid id = id_of(i * 7919 % row_count);
        check(bench->calls->get(bench->store, &id, 1, visit, &bytes));
    }
    return (double)row_count / (now_s() - started_s);
}

static void measure(const char *name, struct bench *bench, uint32_t flags, uint64_t row_count)
{
    static const uint64_t rows_per_commit[] = {1000, 64, 1};
    int is_new;

    check(bench->factory.open(bench->factory.self, "bench", name, "graph.db", flags, &is_new, &bench->store));
    bench->calls = bench->store->operations;
    uint64_t first = 0;
    for (size_t i = 0; i < 3; i++) {
        uint64_t count = rows_per_commit[i] == 1 ? row_count / 10 : row_count;
        double rate = put_rate(bench, first, count, rows_per_commit[i]);
        printf("%-10s put, %4d a commit  %12.0f rows/s  slowest commit %7.2f ms\n", name, (int)rows_per_commit[i], rate,
               bench->slowest_s * 1e3);
        first += count;
    }
    printf("%-10s replace, 64        %12.0f rows/s\n", name, put_rate(bench, 0, row_count, 64));
    printf("%-10s scan by arrival    %12.0f rows/s\n", name, scan_rate(bench, 0, 1));
    printf("%-10s scan by time       %12.0f rows/s, without wire %.0f\n", name, scan_rate(bench, 1, 1),
           scan_rate(bench, 1, 0));
    printf("%-10s get                %12.0f rows/s\n", name, get_rate(bench, row_count));
    bench->has_attributes = 1;
    printf("%-10s five attributes, 64%12.0f rows/s", name, put_rate(bench, first, row_count, 64));
    printf("  replaced %.0f\n", put_rate(bench, first, row_count, 64));
    bench->has_attributes = 0;
    bench->calls->close(bench->store);
    check(bench->factory.remove(bench->factory.self, "bench", name, "graph.db"));
}

int main(int argc, char **argv)
{
    uint64_t row_count = argc > 1 ? strtoull(argv[1], NULL, 10) : 50000;
    char made[] = "/tmp/peergraph-bench-XXXXXX";
    const char *directory = argc > 2 ? argv[2] : mkdtemp(made);
    struct bench bench = {0};

    if (row_count < 10 || directory == NULL)
        return 2;
    check(peer__store_sqlite_factory(directory, &bench.factory));
    measure("sqlite", &bench, 0, row_count);
    measure("durable", &bench, STORE_DURABLE, row_count / 10);
    peer__store_sqlite_factory_free(&bench.factory);
    check(peer__store_memory_factory(&bench.factory));
    measure("memory", &bench, 0, row_count);
    peer__store_memory_factory_free(&bench.factory);
    if (directory == made) {
        char graphs[sizeof(made) + 8];
        snprintf(graphs, sizeof(graphs), "%s/graphs", made);
        rmdir(graphs);
        rmdir(made);
    }
    return 0;
}
