/*
 * A simulated hour of a whole network: nodes that join over one address and find their neighbours themselves, 600 records
 * of 256 bytes from anywhere, one node in twenty replaced, a presence maximum of 50. Measured on one core, each network
 * in a process of its own.
 *
 *     bench_hour [NODES …]     default: 250 1000; with PEER_BENCH_LARGE=1 also 500 2000 4000 5000
 *
 * It fails only if a node lacks a record at the end, or has another one than the rest.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/crowd.h"
#include "wire/message.h"

#define SECOND INT64_C(1000000)
#define TENTH (SECOND / 10)
#define HOUR (3600 * SECOND)
#define JOINING (600 * SECOND)
#define QUIET (300 * SECOND) /* at the end nothing is written */
#define RECORDS 600u
#define RECORD_SIZE 256u
#define PRESENCE_MAX 50

/* What is promised for 1,000 nodes. */
#define LIMITED_NODES 1000u
#define CPU_S_MAX 90
#define MIB_MAX 2048

static const size_t usual_sizes[] = {250, 1000};
static const size_t large_sizes[] = {250, 500, 1000, 2000, 4000, 5000};

struct schedule {
    size_t nodes;
    size_t replaced;
    size_t joined;
    size_t records;
    size_t dead;
};

/* Whether the next of `count` things is due that are spread over so long. */
static int is_due(size_t done, size_t count, int64_t since, int64_t duration, int64_t now)
{
    return done < count && since + (int64_t)done * duration / (int64_t)count <= now;
}

static void do_what_is_due(struct crowd *crowd, struct schedule *schedule, int64_t now)
{
    for (; is_due(schedule->joined, schedule->nodes, 0, JOINING, now); schedule->joined++)
        crowd_join(crowd);
    for (; is_due(schedule->records, RECORDS, 0, HOUR - QUIET, now); schedule->records++)
        (void)crowd_add_record(crowd, crowd_anyone(crowd), RECORD_SIZE, 10 * HOUR);
    for (; is_due(schedule->dead, schedule->replaced, JOINING, HOUR - 2 * JOINING, now); schedule->dead++) {
        crowd_kill_one(crowd);
        crowd_join(crowd);
    }
}

static void run_hour(struct crowd *crowd, size_t nodes)
{
    struct schedule schedule = {.nodes = nodes, .replaced = nodes / 20, .joined = 1};
    crowd_begin(crowd, PRESENCE_MAX);
    for (int64_t now = 0; now < HOUR; now += TENTH) {
        do_what_is_due(crowd, &schedule, now);
        crowd_run_tenth(crowd);
    }
}

struct cost {
    double cpu_s;
    double mib;
};

static struct cost cost_so_far(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct cost){(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                             (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6,
                         (double)usage.ru_maxrss / 1024};
}

/* Beside what a network of 1,000 nodes may cost, and what log n allows after the first network. */
static void show(size_t nodes, struct cost cost, size_t first_nodes, double first_cpu_s)
{
    double each_ms = cost.cpu_s * 1000 / (double)nodes;
    printf("%6zu %8.1f", nodes, cost.cpu_s);
    if (nodes == LIMITED_NODES)
        printf(" %6d", CPU_S_MAX);
    else
        printf(" %6s", "-");
    printf(" %9.0f", cost.mib);
    if (nodes == LIMITED_NODES)
        printf(" %6d", MIB_MAX);
    else
        printf(" %6s", "-");
    printf(" %10.1f", each_ms);
    if (nodes != first_nodes)
        printf(" %7.2f %6.2f", each_ms / (first_cpu_s * 1000 / (double)first_nodes),
               log((double)nodes) / log((double)first_nodes));
    else
        printf(" %7s %6s", "-", "-");
}

/* The process of one network: tells its CPU time to the first one, and ends. */
static void measure(size_t nodes, size_t first_nodes, double first_cpu_s, int out)
{
    struct sim_options options;
    peer__sim_defaults(&options);
    options.untraced = 1;
    struct crowd crowd = crowd_create(1, &options, nodes + nodes / 20);
    run_hour(&crowd, nodes);
    struct cost cost = cost_so_far();
    struct crowd_records records = crowd_compare(&crowd, RECORDS);
    show(nodes, cost, first_nodes, first_cpu_s);
    printf(" %9zu %6zu %11.0f\n", records.complete, records.equal,
           (double)peer__sim_message_count(crowd.sim, MESSAGE_FLOOD, NULL) / (double)nodes);
    int failed = records.equal != nodes || write(out, &cost.cpu_s, sizeof(cost.cpu_s)) != sizeof(cost.cpu_s);
    crowd_free(&crowd);
    fflush(stdout);
    _exit(failed);
}

/* Returns the CPU time in seconds; ends the program if the network failed. */
static double run(size_t nodes, size_t first_nodes, double first_cpu_s)
{
    int ends[2];
    int state = 1;
    double cpu_s = 0;
    fflush(stdout);
    if (pipe(ends) != 0)
        exit(1);
    pid_t child = fork();
    if (child == 0)
        measure(nodes, first_nodes, first_cpu_s, ends[1]);
    close(ends[1]);
    if (child < 0 || waitpid(child, &state, 0) != child || state != 0 ||
        read(ends[0], &cpu_s, sizeof(cpu_s)) != sizeof(cpu_s)) {
        fprintf(stderr, "bench_hour: the network of %zu nodes failed\n", nodes);
        exit(1);
    }
    close(ends[0]);
    return cpu_s;
}

static void run_all(const size_t *sizes, size_t count)
{
    double first_cpu_s = 0;
    printf("A simulated hour: %u records of %u bytes from anywhere, 5 %% of the nodes replaced, presence maximum %d.\n",
           RECORDS, RECORD_SIZE, PRESENCE_MAX);
    printf("CPU time of one core; growth of the cost of a node-hour since the first line, beside log n.\n\n");
    printf("%6s %8s %6s %9s %6s %10s %7s %6s %9s %6s %11s\n", "nodes", "CPU s", "max", "MiB", "max", "ms/node-h",
           "growth", "max", "complete", "equal", "FLOODs/node");
    for (size_t i = 0; i < count; i++) {
        double cpu_s = run(sizes[i], sizes[0], first_cpu_s);
        if (i == 0)
            first_cpu_s = cpu_s;
    }
}

int main(int argc, char **argv)
{
    size_t sizes[16];
    size_t count = 0;
    for (int i = 1; i < argc && count < sizeof(sizes) / sizeof(sizes[0]); i++) {
        sizes[count] = (size_t)strtoul(argv[i], NULL, 10);
        if (sizes[count++] < 20) {
            fprintf(stderr, "bench_hour: \"%s\" is not a number of nodes from 20 on\n", argv[i]);
            return 2;
        }
    }
    if (count > 0)
        run_all(sizes, count);
    else if (getenv("PEER_BENCH_LARGE") != NULL)
        run_all(large_sizes, sizeof(large_sizes) / sizeof(large_sizes[0]));
    else
        run_all(usual_sizes, sizeof(usual_sizes) / sizeof(usual_sizes[0]));
    return 0;
}
