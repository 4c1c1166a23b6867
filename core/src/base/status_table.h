/* The name of every status code and a line of text for people: generated from bindings/codes.toml. */

#ifndef PEER_BASE_STATUS_TABLE_H
#define PEER_BASE_STATUS_TABLE_H

#include <stdint.h>

struct peer__status_row {
    int32_t code;
    const char *name; /* "PEER_E_INVALID_GRAPH" */
    const char *text; /* begins with a small letter and has no full stop */
};

/* The row of a status, or NULL if it is none of ours. */
const struct peer__status_row *peer__status_row(int32_t status);

#endif
