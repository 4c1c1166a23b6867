/** What concerns the whole process: forks, and the line of the last error. */
#ifndef PEER_API_LIBRARY_H
#define PEER_API_LIBRARY_H

#include "peergraph/peergraph.h"

/** How long a runtime that ends may take for its goodbyes. */
#define RUNTIME_LINGER_MS 1000u

/** 1 in a child of a process that had started a runtime. */
int peer__is_forked(void);

/** From the first startup on: the mark of a forked child. */
void peer__watch_forks(void);

/** The close, unregister, end and abort functions leave the last error as it was: it is what the program wants to see. */
struct kept_error {
    char line[512];
};
struct kept_error peer__error_keep(void);
peer_status peer__error_restore(const struct kept_error *kept, peer_status status);
/** Where files count and not a database: E_ACCESSDENIED for the store's PEER_E_DATABASE_ACCESSDENIED, with its line. */
peer_status peer__error_of_files(peer_status status);

#endif
