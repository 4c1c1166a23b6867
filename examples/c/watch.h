/* What both programs do with a graph. How they wait for it is their own. */
#ifndef WATCH_H
#define WATCH_H

#include <peergraph/peergraph.h>

struct watch {
    peer_runtime *runtime;
    peer_graph *graph;
    peer_event_queue *queue;
    int descriptor;   /* readable exactly while the queue holds something */
    int synchronized; /* everything is here, and records can be added */
    char line[1000];
    size_t length;
};

/* Does what the command line says: makes or joins a graph. Ends the program with a line if that fails. */
void watch_open(struct watch *watch, int argc, char **argv);

/* Prints what has happened. Gives 0 if nothing more will. */
int watch_print_events(struct watch *watch);

/* Every line that is complete with these bytes becomes a record. */
void watch_add_lines(struct watch *watch, const char *bytes, size_t size);

/* Says goodbye to the neighbours. Nobody may poll the descriptor any more. */
void watch_close(struct watch *watch);

#endif
